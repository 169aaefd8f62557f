/// Why parts of nginx are refused for now, and the error that says so.
enum Unsupported {
    static let tls = "TLS comes later; let another proxy or a tunnel end TLS in front, or use plain HTTP here"
    static let http2 = "HTTP/2 comes later; HTTP/1.1 is spoken"
    static let http3 = "HTTP/3 comes later; HTTP/1.1 is spoken"
    static let cache = "responses are not cached yet"
    static let auth = "users are not authenticated yet, and leaving it out would open what it protects"

    /// A value of a directive that is otherwise supported.
    static func value(_ directive: Directive, _ reason: String) -> DirectiveError {
        DirectiveError(
            "the value \"\(directive.text(1))\" of the \"\(directive.name)\" directive is known to nginx, "
                + "but not supported by Goodgate yet: \(reason)")
    }
}

extension DirectiveTableBuilder {
    /// What nginx has and Goodgate has not.
    mutating func addUnsupported() {
        addTLS()
        addNewerHTTP()
        addCache()
        addOtherProtocols()
        addAuth()
        addContent()
        addOtherBlocks()
    }

    /// Accepts a list of names with a notice.
    private mutating func acceptAll(_ names: String, _ contexts: DirectiveContext, _ reason: String) {
        for name in names.split(separator: " ") {
            // A typing error must not wait for the day on which the directive gets its effect.
            guard Self.isFlag(name) else {
                accept(String(name), contexts, .atLeast(1), reason, isRepeatable: true)
                continue
            }
            accept(String(name), contexts, .flag, reason, isRepeatable: true) { (_, directive) throws(DirectiveError) in
                _ = try directive.flag()
            }
        }
    }

    private static func isFlag(_ name: Substring) -> Bool {
        flags.contains(name) || protocols.contains { name.hasPrefix($0) && flags.contains(name.dropFirst($0.count)) }
    }

    private static let protocols = ["proxy_", "fastcgi_", "uwsgi_", "scgi_", "grpc_", "memcached_", "tunnel_"]

    /// Directives that are `on` or `off`, those of the modules that send requests on without the module's name.
    private static let flags = Set(
        ("ssl_prefer_server_ciphers ssl_session_tickets ssl_stapling ssl_stapling_verify ssl_early_data http3 http3_hq quic_retry "
            + "quic_gso mirror_request_body create_full_put_path image_filter_interlace xslt_last_modified mp4_start_key_frame "
            + "socket_keepalive buffering request_buffering ignore_client_abort pass_request_headers pass_request_body "
            + "intercept_errors force_ranges cache_lock cache_revalidate cache_convert_head cache_background_update keep_conn "
            + "ssl_session_reuse ssl_server_name ssl_verify").split(separator: " "))

    private mutating func refuseAll(_ names: String, _ contexts: DirectiveContext, _ reason: String) {
        for name in names.split(separator: " ") { refuse(String(name), contexts, as: .notSupportedYet(reason)) }
    }

    private mutating func addTLS() {
        let head: DirectiveContext = [.http, .server]
        module = "http_ssl"
        refuseAll(
            "ssl_certificate ssl_certificate_key ssl_client_certificate ssl_trusted_certificate ssl_crl ssl_ech_file "
                + "ssl_ocsp", head, Unsupported.tls)
        refuse("ssl", head, .flag, accepting: "off", as: .notSupportedYet(Unsupported.tls))
        refuse("ssl_verify_client", head, .exactly(1), accepting: "off", as: .notSupportedYet(Unsupported.tls))
        refuse("ssl_reject_handshake", head, .flag, accepting: "off", as: .notSupportedYet(Unsupported.tls))
        acceptAll(
            "ssl_protocols ssl_ciphers ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout ssl_session_tickets "
                + "ssl_session_ticket_key ssl_dhparam ssl_ecdh_curve ssl_buffer_size ssl_password_file ssl_verify_depth "
                + "ssl_stapling ssl_stapling_file ssl_stapling_responder ssl_stapling_verify ssl_early_data "
                + "ssl_conf_command ssl_certificate_cache ssl_certificate_compression ssl_ocsp_responder ssl_ocsp_cache",
            head, "it says how TLS is spoken, and there are no TLS listeners")
        module = "http_proxy"
        acceptAll(
            "proxy_ssl_session_reuse proxy_ssl_protocols proxy_ssl_ciphers proxy_ssl_name proxy_ssl_server_name "
                + "proxy_ssl_verify proxy_ssl_verify_depth proxy_ssl_trusted_certificate proxy_ssl_crl "
                + "proxy_ssl_certificate proxy_ssl_certificate_key proxy_ssl_certificate_cache proxy_ssl_password_file "
                + "proxy_ssl_conf_command", .inherited,
            "it says how TLS to upstreams is spoken, and https upstreams are refused")
    }

    private mutating func addNewerHTTP() {
        let head: DirectiveContext = [.http, .server]
        module = "http_v2"
        refuse("http2", head, .flag, accepting: "off", as: .notSupportedYet(Unsupported.http2))
        let unused2 = "it tunes HTTP/2, which is not spoken"
        acceptAll(
            "http2_recv_buffer_size http2_pool_size http2_max_concurrent_streams http2_max_concurrent_pushes "
                + "http2_max_requests http2_max_field_size http2_max_header_size http2_body_preread_size "
                + "http2_streams_index_size http2_recv_timeout http2_idle_timeout", head, unused2)
        acceptAll("http2_chunk_size http2_push http2_push_preload", .inherited, unused2)
        module = "http_v3"
        acceptAll(
            "http3 http3_hq http3_max_concurrent_streams http3_stream_buffer_size quic_retry quic_gso quic_host_key "
                + "quic_active_connection_id_limit", head,
            "it is about HTTP/3, which is spoken on \"listen … quic\" only, and that is refused")
    }

    private mutating func addCache() {
        module = "http_proxy"
        refuse("proxy_cache", .inherited, .exactly(1), accepting: "off", as: .notSupportedYet(Unsupported.cache))
        let unused = "it has an effect with \"proxy_cache\" only, which is refused"
        acceptAll("proxy_cache_path", .http, unused)
        acceptAll(
            "proxy_cache_key proxy_cache_bypass proxy_no_cache proxy_cache_valid proxy_cache_min_uses "
                + "proxy_cache_max_range_offset proxy_cache_use_stale proxy_cache_methods proxy_cache_lock "
                + "proxy_cache_lock_timeout proxy_cache_lock_age proxy_cache_revalidate proxy_cache_convert_head "
                + "proxy_cache_background_update", .inherited, unused)
    }

    private mutating func addOtherProtocols() {
        let common =
            "bind socket_keepalive connect_timeout send_timeout read_timeout buffer_size next_upstream "
            + "next_upstream_tries next_upstream_timeout"
        let sockets = " socket_rcvbuf socket_sndbuf"
        let gateway =
            common + sockets
            + " store store_access buffering request_buffering ignore_client_abort pass_request_headers "
            + "pass_request_body intercept_errors buffers busy_buffers_size force_ranges limit_rate cache_key cache_bypass "
            + "no_cache cache_valid cache_min_uses cache_max_range_offset cache_use_stale cache_methods cache_lock "
            + "cache_lock_timeout cache_lock_age cache_revalidate cache_background_update temp_path max_temp_file_size "
            + "temp_file_write_size param pass_header hide_header ignore_headers cache"
        let tls =
            " ssl_session_reuse ssl_protocols ssl_ciphers ssl_name ssl_server_name ssl_verify ssl_verify_depth "
            + "ssl_trusted_certificate ssl_crl ssl_certificate ssl_certificate_key ssl_certificate_cache "
            + "ssl_password_file ssl_conf_command"
        addProtocol(
            "fastcgi", gateway + " index split_path_info catch_stderr keep_conn send_lowat", "FastCGI is not spoken yet")
        addProtocol("uwsgi", gateway + tls + " modifier1 modifier2 string", "uwsgi is not spoken yet")
        addProtocol("scgi", gateway, "SCGI is not spoken yet")
        addProtocol(
            "grpc",
            common + sockets + tls + " intercept_errors set_header pass_header hide_header ignore_headers",
            "gRPC needs HTTP/2, which comes later")
        addProtocol("memcached", common + " gzip_flag", "memcached is not spoken yet")
        addProtocol("tunnel", common + sockets + " send_lowat", "CONNECT is not served yet")
    }

    private mutating func addProtocol(_ name: String, _ parameters: String, _ reason: String) {
        module = "http_" + name
        refuse(
            name + "_pass", name == "tunnel" ? [.server, .location, .locationIf] : [.location, .locationIf],
            as: .notSupportedYet(reason))
        let unused = "it has an effect with \"\(name)_pass\" only, which is refused"
        for parameter in parameters.split(separator: " ") { acceptAll("\(name)_\(parameter)", .inherited, unused) }
        if parameters.contains("cache_key") { acceptAll(name + "_cache_path", .http, unused) }
    }

    private mutating func addAuth() {
        let withLimit: DirectiveContext = [.http, .server, .location, .limitExcept]
        module = "http_auth_basic"
        refuse("auth_basic", withLimit, .exactly(1), accepting: "off", as: .notSupportedYet(Unsupported.auth))
        acceptAll("auth_basic_user_file", withLimit, "it has an effect with \"auth_basic\" only, which is refused")
        module = "http_auth_request"
        refuse("auth_request", .inherited, .exactly(1), accepting: "off", as: .notSupportedYet(Unsupported.auth))
        accept(
            "auth_request_set", .inherited, .exactly(2), "it has an effect with \"auth_request\" only, which is refused",
            isRepeatable: true
        ) { (reader, directive) throws(DirectiveError) in
            _ = try reader.define(try reader.variableName(directive[1]), as: .set, at: directive.location)
        }
        origin = .nginxPlus
        module = "http_auth_jwt"
        refuse("auth_jwt", withLimit, .between(1, 2), accepting: "off", as: .notSupportedYet(Unsupported.auth))
        refuseAll("auth_jwt_key_file auth_jwt_key_request auth_jwt_require", withLimit, Unsupported.auth)
        origin = .nginx
        module = "http_secure_link"
        refuseAll("secure_link secure_link_md5 secure_link_secret", .inherited, "links are not verified yet")
    }

    private mutating func addContent() {
        module = "http_mirror"
        refuse("mirror", .inherited, .exactly(1), accepting: "off", as: .notSupportedYet("requests are not mirrored yet"))
        acceptAll("mirror_request_body", .inherited, "it has an effect with \"mirror\" only, which is refused")
        module = "http_userid"
        refuse("userid", .inherited, .exactly(1), accepting: "off", as: .notSupportedYet("cookies for user ids are not set yet"))
        acceptAll(
            "userid_service userid_name userid_domain userid_path userid_expires userid_flags userid_p3p userid_mark",
            .inherited, "it has an effect with \"userid\" only, which is refused")
        module = "http_dav"
        refuse("dav_methods", .inherited, .atLeast(1), accepting: "off", as: .notSupportedYet("WebDAV is not served yet"))
        acceptAll(
            "create_full_put_path min_delete_depth dav_access", .inherited,
            "it has an effect with \"dav_methods\" only, which is refused")
        module = "http_xslt"
        refuseAll("xslt_stylesheet", .location, "XML is not transformed yet")
        acceptAll(
            "xml_entities xml_external_entities xslt_param xslt_string_param xslt_types xslt_last_modified", .inherited,
            "it has an effect with \"xslt_stylesheet\" only, which is refused")
        module = "http_image_filter"
        refuse("image_filter", .location, .between(1, 3), accepting: "off", as: .notSupportedYet("images are not transformed"))
        acceptAll(
            "image_filter_jpeg_quality image_filter_webp_quality image_filter_sharpen image_filter_transparency "
                + "image_filter_interlace image_filter_buffer", .inherited,
            "it has an effect with \"image_filter\" only, which is refused")
        module = "http_browser"
        refuseAll(
            "modern_browser ancient_browser modern_browser_value ancient_browser_value", .inherited,
            "browsers are not classified yet; a \"map\" on $http_user_agent does the same")
        module = "http_geoip"
        refuseAll(
            "geoip_country geoip_org geoip_city geoip_proxy geoip_proxy_recursive", .http,
            "MaxMind data bases are not read; a \"geo\" block does the same")
        module = "http_mp4"
        refuseAll("mp4", .location, "pseudo-streaming of MP4 is not served yet")
        acceptAll(
            "mp4_buffer_size mp4_max_buffer_size mp4_start_key_frame", .inherited,
            "it has an effect with \"mp4\" only, which is refused")
        module = "http_flv"
        refuseAll("flv", .location, "pseudo-streaming of FLV is not served yet")
        module = "http_slice"
        refuse("slice", .inherited, .exactly(1), accepting: "0", as: .notSupportedYet("responses are not fetched in slices yet"))
        module = "http_degradation"
        acceptAll("degradation", .http, "it is for another operating system")
        acceptAll("degrade", .inherited, "it is for another operating system")
        module = "http_perl"
        for name in ["perl_modules", "perl_require", "perl_set"] {
            refuse(name, .http, as: .never("Perl is not embedded; put such code into the application"))
        }
        refuse(
            "perl", [.location, .limitExcept], as: .never("Perl is not embedded; put such code into the application"))
        module = "http_js"
        for name in "js_import js_set js_var js_path js_preload_object js_shared_dict_zone".split(separator: " ") {
            refuse(String(name), .inherited, as: .never("JavaScript is not embedded; put such code into the application"))
        }
        for name in "js_content js_header_filter js_body_filter js_access js_periodic".split(separator: " ") {
            refuse(
                String(name), [.location, .locationIf, .limitExcept],
                as: .never("JavaScript is not embedded; put such code into the application"))
        }
    }

    private mutating func addOtherBlocks() {
        module = "stream"
        refuse(
            "stream", .main, .exactly(0), isBlock: true,
            as: .notSupportedYet("TCP and UDP are not proxied yet, and its block is not read"))
        refuseAll(
            "pass preread_buffer_size preread_timeout proxy_download_rate proxy_downstream_buffer proxy_half_close "
                + "proxy_protocol proxy_protocol_timeout proxy_requests proxy_responses proxy_ssl proxy_ssl_alpn "
                + "proxy_timeout proxy_upload_rate proxy_upstream_buffer ssl_alpn ssl_handshake_timeout ssl_preread",
            .stream, "TCP and UDP are not proxied yet")
        module = "mail"
        refuse(
            "mail", .main, .exactly(0), isBlock: true, as: .never("mail is not proxied, and its block is not read"))
        for name in
            ("auth_http auth_http_header auth_http_pass_client_cert auth_http_timeout imap_auth imap_capabilities "
            + "imap_client_buffer max_errors pop3_auth pop3_capabilities protocol proxy proxy_buffer "
            + "proxy_pass_error_message proxy_smtp_auth smtp_auth smtp_capabilities smtp_client_buffer "
            + "smtp_greeting_delay starttls timeout xclient").split(separator: " ")
        { refuse(String(name), .mail, as: .never("mail is not proxied")) }
        origin = .nginxPlus
        module = "core"
        acceptAll("mgmt", .main, "there is nothing to license")
        module = "http_upstream_conf"
        refuse("upstream_conf", .location, as: .never("it is obsolete in NGINX Plus too; use \"api\""))
        refuse("status", .location, as: .never("it is obsolete in NGINX Plus too; use \"api\""))
        module = "http_session_log"
        refuseAll("session_log", .inherited, "sessions are not logged")
        module = "http_hls"
        refuseAll("hls", .location, "HLS is not served")
        module = "http_f4f"
        refuseAll("f4f", .location, "HDS is not served")
        module = "keyval"
        refuseAll("keyval keyval_zone", .http, "key-value zones are not kept yet; a \"map\" does the same for fixed values")
        module = "zone_sync"
        origin = .nginx
    }
}
