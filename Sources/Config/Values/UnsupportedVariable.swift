/// Variables that nginx knows and Goodgate does not, and why: an error says more than "unknown".
package enum UnsupportedVariable {
    /// Names, and why each is not there yet.
    package static let reasons: [String: String] = {
        let groups: [(names: String, reason: String)] = [
            ("fastcgi_script_name fastcgi_path_info", "FastCGI is not spoken yet"),
            ("memcached_key", "memcached is not spoken yet"),
            ("uid_got uid_set uid_reset", "cookies for user ids are not set yet"),
            ("slice_range", "responses are not fetched in slices yet"),
            ("ancient_browser modern_browser msie", "browsers are not classified yet; a \"map\" on $http_user_agent does the same"),
            ("secure_link secure_link_expires", "links are not verified yet"),
            ("upstream_cache_key", Unsupported.cache),
            ("upstream_last_server_name ssl_ech_status ssl_ech_outer_server_name", Unsupported.tls),
            ("session_log_id session_log_binary_id", "sessions are not logged"),
        ]
        var reasons: [String: String] = [:]
        for group in groups { for name in group.names.split(separator: " ") { reasons[String(name)] = group.reason } }
        return reasons
    }()

    /// Beginnings of names, and why each family is not there yet.
    package static let families = [
        ("geoip_", "MaxMind data bases are not read; a \"geo\" block does the same"),
        ("jwt_header_", Unsupported.auth), ("jwt_claim_", Unsupported.auth),
    ]

    /// Beginnings of the names of families that are there, in order.
    package static var implementedFamilies: [String] { ConfigurationReader.families.map(\.prefix).sorted() }

    /// nil: nginx does not know it either. The name is in lower case.
    static func reason(for name: String) -> String? {
        reasons[name] ?? families.first { name.hasPrefix($0.0) }?.1
    }
}
