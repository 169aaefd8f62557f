extension ConfigurationReader {
    /// What a `location` matches.
    func locationMatch(_ directive: Directive) throws(DirectiveError) -> LocationMatch {
        if directive.argumentCount == 2 {
            let name = directive[2]
            switch directive.text(1) {
            case "=": return .exact(name)
            case "^~": return .prefixNoRegex(name)
            case "~": return .regex(try pattern(name, caseless: false, at: directive.location))
            case "~*": return .regex(try pattern(name, caseless: true, at: directive.location))
            default: throw DirectiveError("invalid location modifier", quoting: directive[1])
            }
        }
        let name = directive[1]
        switch name.first {
        case UInt8(ascii: "="): return .exact(Bytes(name.dropFirst()))
        case UInt8(ascii: "^") where name.count > 1 && name[1] == UInt8(ascii: "~"):
            return .prefixNoRegex(Bytes(name.dropFirst(2)))
        case UInt8(ascii: "~"):
            let isCaseless = name.count > 1 && name[1] == UInt8(ascii: "*")
            return .regex(
                try pattern(name.dropFirst(isCaseless ? 2 : 1), caseless: isCaseless, at: directive.location))
        case UInt8(ascii: "@"): return .named(name)
        default: return .prefix(name)
        }
    }

    /// A nested location must lie within its parent.
    func checkNesting(of match: LocationMatch) throws(DirectiveError) {
        guard scope.context == .location, let outer = scope.match else { return }
        let patterns = configuration.patterns
        let name = String(decoding: match.name(patterns: patterns), as: UTF8.self)
        let outerName = String(decoding: outer.name(patterns: patterns), as: UTF8.self)
        switch outer {
        case .exact: throw DirectiveError("location \"\(name)\" cannot be inside the exact location \"\(outerName)\"")
        case .named: throw DirectiveError("location \"\(name)\" cannot be inside the named location \"\(outerName)\"")
        case .prefix, .prefixNoRegex, .regex: break
        }
        switch match {
        case .named: throw DirectiveError("named location \"\(name)\" can be on the server level only")
        case .regex: return
        case .exact(let path), .prefix(let path), .prefixNoRegex(let path):
            // An outer expression counts as text here, as in nginx, which hence allows expressions only.
            if !path.starts(with: outer.name(patterns: patterns)) {
                throw DirectiveError("location \"\(name)\" is outside location \"\(outerName)\"")
            }
        }
    }

    /// `location { }`.
    func readLocation(_ directive: Directive, _ match: LocationMatch) {
        let parent = scope
        let child = parent.makeChild(context: .location, location: directive.location)
        child.match = match
        child.id = allocateSettings()
        child.settings.name = match.name(patterns: configuration.patterns)
        readSettings(directive, in: child)
        var node = LocationNode(location: directive.location, match: match, settings: child.id)
        node.rewrite.instructions = child.rewrite
        node.children = child.children
        node.redirectsToSlash = child.redirectsToSlash
        checkDuplicates(among: child.children)
        parent.children.append(node)
    }

    /// Reports locations with one path at one level. A path may be both exact and a prefix.
    func checkDuplicates(among nodes: [LocationNode]) {
        var (exact, prefixes): (Set<Bytes>, Set<Bytes>) = ([], [])
        for node in nodes {
            let isNew: Bool
            switch node.match {
            case .exact(let path): isNew = exact.insert(path).inserted
            case .prefix(let path), .prefixNoRegex(let path): isNew = prefixes.insert(path).inserted
            case .regex, .named: continue
            }
            guard !isNew else { continue }
            let name = String(decoding: node.match.name(patterns: configuration.patterns), as: UTF8.self)
            report("duplicate location \"\(name)\"", at: node.location, directive: "location")
        }
    }
}
