extension NetworkAddress {
    /// The text that names a listening socket in messages between supervisor and workers, always the same for the same address.
    package var listenKey: String { text }
}
