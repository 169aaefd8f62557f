extension ConfigurationReader {
    /// Declares a zone of shared memory, or refers to one.
    /// - Parameters:
    ///   - use: the module; a name belongs to one module.
    ///   - size: nil to refer to a zone that is declared elsewhere.
    func declareZone(_ name: String, use: String, size: ByteCount?) throws(DirectiveError) {
        guard var zone = zones[name] else {
            zones[name] = SharedZone(use: use, size: size ?? 0)
            return
        }
        guard zone.use == use else {
            throw DirectiveError("the shared memory zone \"\(name)\" is already declared for a different use")
        }
        guard let size else { return }
        if zone.size != 0, zone.size != size {
            throw DirectiveError(
                "the size \(size) of shared memory zone \"\(name)\" conflicts with already declared size \(zone.size)")
        }
        zone.size = size
        zones[name] = zone
    }

    /// A variable given by its name where nothing else may stand.
    /// - Throws: `invalid variable name "$"` if the name is empty.
    func namedVariable(
        _ name: some Collection<UInt8>, at location: SourceLocation
    ) throws(DirectiveError) -> VariableID {
        guard !name.isEmpty else { throw DirectiveError("invalid variable name \"$\"") }
        return variable(name, at: location)
    }
}
