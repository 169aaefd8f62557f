/// Failed responses of access logs: which incident they belong to, or who else answered so.
extension LogHarvest {
    /// Takes a line apart in which a status was found behind a text.
    /// - Returns: nil when the status stands somewhere else, or when this line is found behind another text.
    static func parse(_ line: LineText, _ status: UInt16, _ formats: [AccessFormat], foundBehind text: String) -> (
        line: AccessLine, identity: AccessFormat.Identity
    )? {
        for format in formats {
            guard var read = format.read(line, whole: formats.count > 1) else { continue }
            guard format.beforeStatus == text else { return nil }
            if read.status.map({ !(100...599).contains($0) }) ?? true {
                let wanted = Array("\(text)\(status)".utf8)
                let at = line.bytes.indices.first { line.bytes[$0...].starts(with: wanted) }
                guard let other = at.flatMap({ format.read(line, statusAt: $0 + text.utf8.count) }) else { return nil }
                read = other
            }
            return read.status == Int(status) ? (read, format.identity) : nil
        }
        // Of a format that was used before: status and time are what can be told, if the text is more than one byte that is anywhere.
        guard formats.count == 1, text.utf8.count > 1 else { return nil }
        var read = AccessLine()
        read.time = LogTime.find(line)
        return (read, [])
    }

    mutating func match(_ line: AccessLine, _ identity: AccessFormat.Identity, _ status: UInt16, _ time: Timestamp) {
        // nginx writes both lines when the last attempt has failed, but not always in one second.
        if line.source != .application {
            let hash = Self.hash(identity, line.client ?? [], line.target ?? [])
            let keys = ([0, -1, 1, -2, 2] as [Int64]).map { hash &+ UInt64(bitPattern: time.seconds + $0) }
            // One that was served by the next server waits for ever: what has another status than its failure is somebody else's.
            for isAlike in [true, false] {
                for key in keys {
                    let found = explained[key]?.lastIndex { $0.waiting > 0 && (!isAlike || $0.isTimeout == (status == 504)) }
                    guard let index = found, let id = explained[key]?[index].incident else { continue }
                    explained[key]?[index].waiting -= 1
                    failedRequests[id, default: 0] += 1
                    return
                }
            }
            // One line of the error log may stand for several requests on a connection.
            for key in keys {
                guard let id = explained[key]?.last?.incident else { continue }
                failedRequests[id, default: 0] += 1
                return
            }
        }
        let source = line.source ?? .unknown
        let path = LineText((line.target ?? []).prefix { $0 != 63 }.prefix(80)).string
        let key = "\(status) \(source) \(path)"
        if answers[key] != nil {
            answers[key]?.count += 1
            answers[key]?.last = time
        } else if answers.count < Self.answersMax {
            answers[key] = DoctorReport.AppAnswer(
                status: Int(status), path: path, source: source, count: 1, first: time, last: time)
        }
    }

    /// FNV-1a over what is known of a request; log lines are not trusted, but a collision only miscounts one request.
    static func hash(_ identity: AccessFormat.Identity, _ client: ArraySlice<UInt8>, _ target: ArraySlice<UInt8>) -> UInt64 {
        var value = (0xcbf2_9ce4_8422_2325 ^ UInt64(identity.rawValue)) &* 0x100_0000_01b3
        func mix(_ bytes: ArraySlice<UInt8>) {
            for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
            value = value &* 0x100_0000_01b3
        }
        if identity.contains(.client) { mix(client) }
        if identity.contains(.target) { mix(target) }
        return value
    }
}
