extension Lint.Context {
    /// Requests that may be executed twice.
    func repeats() -> [LintFinding] {
        let routes = site.routes.filter { $0.nextUpstream?.contains("non_idempotent") == true && $0.facts.servers.count != 1 }
        guard let route = routes.first else { return [] }
        let directive = route.directive.name.dropLast(4) + "next_upstream"
        let own = route.block.last(String(directive))
        let others = own?.arguments.filter { $0 != "non_idempotent" } ?? []
        let conditions = others.isEmpty ? "error timeout" : others.joined(separator: " ")
        return [
            LintFinding(
                "repeats-non-idempotent", .warning, "A POST may be executed twice",
                why: "With `\(directive) … non_idempotent` a POST, LOCK or PATCH is sent to the next server also when the first one "
                    + "may have executed it already (\(routes.count) of \(site.routes.count) routes).",
                place: own?.place ?? route.directive.place,
                diff: own.flatMap { replacing([(old: $0, new: "\(directive) \(conditions);")]) },
                byHand: "# take \"non_idempotent\" out of \(String(directive))",
                caution: "A POST that fails on its way is then answered with an error instead of being repeated.")
        ]
    }
}
