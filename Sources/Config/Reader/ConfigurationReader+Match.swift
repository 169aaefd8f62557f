extension ConfigurationReader {
    /// `match NAME { status …; header …; body …; }`
    func readMatch(_ directive: Directive) throws(DirectiveError) {
        let name = directive.text(1)
        if http.matches.contains(where: { $0.name == name }) { throw DirectiveError("duplicate match \"\(name)\"") }
        var match = MatchSettings(name: name, location: directive.location)
        readLines(directive) { (line) throws(DirectiveError) in
            switch line.name {
            case "status": match.conditions.append(try statusCondition(line))
            case "header": match.conditions.append(try headerCondition(line))
            case "body": match.conditions.append(try bodyCondition(line))
            case "require":
                // Its variables are those of a request, and a check has none.
                throw DirectiveError("\"require\" in a \"match\" block is not supported yet: use \"status\" and \"header\"")
            default:
                throw DirectiveError(
                    "unknown directive \"\(line.name)\"",
                    suggestion: EditDistance.nearest(to: line.name, in: ["status", "header", "body"]))
            }
        }
        http.matches.append(match)
    }

    private func statusCondition(_ line: Directive) throws(DirectiveError) -> MatchSettings.Condition {
        let isNegated = line.argumentCount > 0 && line.isWord(1, "!")
        var ranges: [ClosedRange<Int>] = []
        for index in (isNegated ? 2 : 1)..<max(line.words.count, isNegated ? 2 : 1) {
            let parts = line[index].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            guard parts.count <= 2, let low = ValueParsing.integer(parts[0]),
                let high = ValueParsing.integer(parts[parts.count - 1]), low >= 100, low <= high, high <= 999
            else { throw DirectiveError("invalid status", quoting: line[index]) }
            ranges.append(low...high)
        }
        guard !ranges.isEmpty else { throw DirectiveError("invalid number of arguments in \"status\" directive") }
        return .status(ranges: ranges, isNegated: isNegated)
    }

    private func headerCondition(_ line: Directive) throws(DirectiveError) -> MatchSettings.Condition {
        let invalid = DirectiveError("invalid number of arguments in \"header\" directive")
        switch line.argumentCount {
        case 1: return .header(name: lowercased(line[1]), test: .exists)
        case 2:
            guard line.isWord(1, "!") else { throw invalid }
            return .header(name: lowercased(line[2]), test: .missing)
        case 3:
            let name = lowercased(line[1])
            switch line.text(2) {
            case "=": return .header(name: name, test: .equal(line[3]))
            case "!=": return .header(name: name, test: .notEqual(line[3]))
            case "~", "~*":
                let id = try pattern(line[3], caseless: line.isWord(2, "~*"), at: line.location)
                return .header(name: name, test: .matches(id))
            case "!~", "!~*":
                let id = try pattern(line[3], caseless: line.isWord(2, "!~*"), at: line.location)
                return .header(name: name, test: .doesNotMatch(id))
            default: throw line.invalidParameter(2)
            }
        default: throw invalid
        }
    }

    private func bodyCondition(_ line: Directive) throws(DirectiveError) -> MatchSettings.Condition {
        guard line.argumentCount == 2 else {
            throw DirectiveError("invalid number of arguments in \"body\" directive")
        }
        switch line.text(1) {
        case "~", "~*", "!~", "!~*":
            let isCaseless = line[1].last == UInt8(ascii: "*")
            let id = try pattern(line[2], caseless: isCaseless, at: line.location)
            return .body(id, isNegated: line[1].first == UInt8(ascii: "!"))
        default: throw line.invalidParameter(1)
        }
    }
}
