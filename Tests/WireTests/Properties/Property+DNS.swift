internal import Wire

extension Property {
    /// DNS messages: reading ends, names are well-formed, and what is read of a question can be asked again.
    package static func dns(_ input: [UInt8]) -> String? {
        withView(input) { view in
            guard let message = DNSMessage(head: view) else { return nil }
            if let question = message.question {
                if let wrong = name(question.name) { return wrong }
                let again = DNSMessage.query(id: message.id, question)
                let isSame = withView(again) { view in
                    guard let read = DNSMessage(head: view) else { return false }
                    return read.id == message.id && read.question == question && !read.isResponse
                        && read.records(view)?.answers.isEmpty == true
                }
                if !isSame { return "a question asked again is another" }
            }
            guard let records = message.records(view) else { return nil }
            if records.answers.count > DNSMessage.recordsMax { return "more records than the limit" }
            // A record takes eleven bytes at least.
            if records.answers.count * 11 > input.count { return "more records than fit" }
            for record in records.answers {
                if let wrong = name(record.owner) { return wrong }
                if case .alias(let target) = record.data, let wrong = name(target) { return wrong }
            }
            return nil
        }
    }

    private static func name(_ name: DNSName) -> String? {
        if name.bytes.count > DNSName.bytesMax { return "a name is too long" }
        var index = 0
        while index < name.bytes.count, name.bytes[index] != 0 {
            if name.bytes[index] > 63 { return "a label is too long" }
            index += 1 + Int(name.bytes[index])
        }
        if index != name.bytes.count - 1 { return "a name does not end with the empty label" }
        let hasDots = name.bytes.contains(0x2e)
        if !hasDots, name.bytes.count > 1, name.bytes.allSatisfy({ $0 <= 63 || $0 > 0x60 && $0 < 0x7f }),
            name.text.utf8.allSatisfy({ $0 != 0x3f }),
            DNSName(host: name.text.utf8) != name
        {
            return "a name read from its text is another"
        }
        return nil
    }
}
