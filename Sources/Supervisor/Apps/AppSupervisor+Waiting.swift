internal import Machine

extension AppSupervisor.Status {
    /// What a roll that is under way waits for, as a part of a sentence: `: api.0#7 of release 3 is not ready yet (it is
    /// given up in 12 s)`; "" when nothing is known.
    func waitingText(now: Duration) -> String {
        let parts = instances.compactMap { Self.waiting(for: $0.snapshot, of: name, now: now) }
        if !parts.isEmpty { return ": " + parts.joined(separator: ", ") }
        return isRolling ? ": the new instance serves a part of the traffic, to be compared" : ""
    }

    private static func waiting(for instance: AppMachine.InstanceSnapshot, of app: String, now: Duration) -> String? {
        let name = "\(app).\(instance.key.slot)#\(instance.key.serial) of release \(instance.release)"
        let time = instance.deadline.map { deadline in "in \(max(0, (deadline - now).components.seconds)) s" }
        func with(_ event: String) -> String { time.map { " (\(event) \($0))" } ?? "" }
        return switch instance.phase {
        case .starting, .probing: "\(name) is not ready yet" + with("it is given up")
        case .backingOff: "\(name) failed" + with("it is started again")
        case .draining: "\(name) finishes its requests" + with("it is stopped")
        case .stopping: "\(name) is stopping" + with("it is killed")
        case .killing, .emptying: "\(name) is being killed"
        case .ready, .stopped, .finished: nil
        }
    }
}
