internal import Config
internal import Machine
internal import Messages

/// An instance whose health one of the workers checks.
struct CheckedInstance: Equatable {
    var address: NetworkAddress
    var state: InstanceCheck.State
    var settings: InstanceCheck.Settings
}

// The health checks run in the one worker that the machine names. Servers of upstreams it knows from its configuration; instances of apps
// the supervisor tells it, and is told how they are.
extension Supervisor {
    /// A worker was named.
    func beginChecks(_ id: WorkerID, term: UInt32) {
        send(.beginChecks(term: term), to: id)
        for (instance, checked) in checkedInstances { tell(checked, instance, to: id) }
    }

    /// Begins to check an instance, or changes what is known of it, or how it is checked.
    func check(_ instance: InstanceName, at address: NetworkAddress, _ state: InstanceCheck.State, _ settings: InstanceCheck.Settings) {
        var checked = CheckedInstance(address: address, state: state, settings: settings)
        if let known = checkedInstances[instance] {
            // Who hears of a failing check hears of its pass: that another one begins is none.
            if known.settings != settings, known.state == .unhealthy { checked.state = .unhealthy }
            if known == checked { return }
        }
        checkedInstances[instance] = checked
        if let checker = machine.checker { tell(checked, instance, to: checker) }
    }

    /// Ends the checks of an instance.
    func uncheck(_ instance: InstanceName) {
        guard checkedInstances.removeValue(forKey: instance) != nil, let checker = machine.checker else { return }
        send(.uncheck(instance), to: checker)
    }

    /// A worker says how an instance is. Only the one named last is heard.
    func take(_ health: InstanceHealth, from worker: WorkerProcess) {
        guard worker.id == machine.checker, health.term == machine.checkTerm, checkedInstances[health.instance] != nil
        else { return }
        checkedInstances[health.instance]?.state = health.isHealthy ? .healthy : .unhealthy
        let key = InstanceKey(slot: Int(health.instance.slot), serial: health.instance.serial)
        apps?.healthChanged(app: health.instance.app, instance: key, isHealthy: health.isHealthy, isSilent: health.isSilent)
        // Requests may be waiting for just this instance.
        flushNews()
    }

    /// A worker says why an instance that is starting does not pass.
    func take(_ complaint: CheckComplaint, from worker: WorkerProcess) {
        guard worker.id == machine.checker, complaint.term == machine.checkTerm else { return }
        let key = InstanceKey(slot: Int(complaint.instance.slot), serial: complaint.instance.serial)
        apps?.checkFailed(app: complaint.instance.app, instance: key, why: complaint.text)
    }

    /// The checker put something on the board. A worker that does not keep up looks before its next pick anyway.
    func relayPeers(from checker: WorkerProcess) {
        guard checker.id == machine.checker else { return }
        for worker in workers.values where worker !== checker && !worker.isFarBehind {
            worker.send(.lookAtPeers)
            watch(worker)
        }
    }

    private func tell(_ checked: CheckedInstance, _ instance: InstanceName, to id: WorkerID) {
        let check = InstanceCheck(
            instance: instance, address: checked.address.listenKey, state: checked.state, settings: checked.settings)
        send(.check(check), to: id)
    }
}
