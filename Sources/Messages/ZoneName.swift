/// How a zone of shared memory is named between processes: its use and its name in the configuration.
package enum ZoneName {
    /// Of `limit_req_zone`.
    package static func requests(_ name: String) -> String { "requests:" + name }
    /// Of `limit_conn_zone`.
    package static func connections(_ name: String) -> String { "connections:" + name }
}
