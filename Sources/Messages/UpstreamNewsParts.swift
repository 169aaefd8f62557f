/// Puts the news of one upstream together that came in parts.
package struct UpstreamNewsParts: Sendable {
    private var instances: [UpstreamNews.Instance] = []
    private var next: UInt16 = 0

    package init() {}

    /// Takes a part.
    /// - Returns: all of it, with the last part. A part out of order puts an end to what was begun: the next news bring everything anew.
    package mutating func take(_ news: UpstreamNews) -> UpstreamNews? {
        if news.part == 0 { (instances, next) = ([], 0) }
        guard news.part == next, next < .max else {
            (instances, next) = ([], .max)
            return nil
        }
        instances += news.instances
        next += 1
        guard news.isComplete else { return nil }
        defer { (instances, next) = ([], .max) }
        var whole = news
        (whole.instances, whole.part) = (instances, 0)
        return whole
    }
}
