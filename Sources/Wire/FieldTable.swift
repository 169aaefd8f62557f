/// The fields of one head. Grows once, then is used again and again: no allocation in steady state.
///
/// Owned by a connection or a pool; `deinit` frees the memory.
@safe
public struct FieldTable: ~Copyable {
    @usableFromInline var storage: UnsafeMutablePointer<ParsedField>
    /// Fields there is room for; before the first one, what to make room for, negative.
    @usableFromInline var capacity: Int
    /// Number of fields.
    public internal(set) var count: Int
    /// The known names among them.
    public internal(set) var present: TokenSet

    /// - Parameter capacity: fields to make room for with the first one, >= 1.
    public init(capacity: Int = 32) {
        // SAFETY: never read or written before `grow` has replaced it.
        unsafe storage = UnsafeMutablePointer(bitPattern: MemoryLayout<ParsedField>.alignment)!
        self.capacity = -max(1, capacity)
        count = 0
        present = TokenSet()
    }

    // SAFETY: this type is the only owner of the memory.
    deinit { if capacity > 0 { unsafe storage.deallocate() } }

    /// The field at a place, in the order of the lines. Traps outside 0..<count.
    @inlinable public subscript(index: Int) -> ParsedField {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "FieldTable index out of range")
            // SAFETY: index < count <= capacity, and the first count elements are initialised.
            return unsafe storage[index]
        }
        set {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "FieldTable index out of range")
            // SAFETY: as above; ParsedField is trivial.
            unsafe storage[index] = newValue
        }
    }

    /// Forgets all fields, keeps the memory.
    public mutating func removeAll() {
        count = 0
        present = TokenSet()
    }

    /// Adds a field. Amortised O(1); allocates only beyond the largest count so far.
    public mutating func append(_ field: ParsedField) {
        if count >= capacity { grow() }
        // SAFETY: count < capacity.
        unsafe (storage + count).initialize(to: field)
        count &+= 1
        present.insert(field.token)
    }

    @inline(never)
    private mutating func grow() {
        let isFirst = capacity < 0
        let size = isFirst ? -capacity : capacity * 2
        let larger = UnsafeMutablePointer<ParsedField>.allocate(capacity: size)
        if !isFirst {
            // SAFETY: the new memory holds twice as many; ParsedField is trivial.
            unsafe larger.moveInitialize(from: storage, count: count)
            unsafe storage.deallocate()
        }
        unsafe storage = larger
        capacity = size
    }

    /// Place of the first field with a known name at or after `start`; nil if there is none. O(1) if the name does not
    /// occur at all, else O(count).
    @inlinable public func firstIndex(of token: HeaderToken, from start: Int = 0) -> Int? {
        guard present.contains(token) else { return nil }
        var index = start
        while index < count {
            // SAFETY: index < count.
            if unsafe storage[index].token == token { return index }
            index &+= 1
        }
        return nil
    }

    /// Value of the first field with a known name.
    ///
    /// - Parameter base: the buffer that was parsed.
    @inlinable public func value(_ token: HeaderToken, _ base: ByteView) -> ByteView? {
        guard let index = firstIndex(of: token) else { return nil }
        return self[index].value.view(base)
    }

    /// Place of the first field with this name, in any case, at or after `start`. O(count).
    ///
    /// - Parameters:
    ///   - name: any name, known or not.
    ///   - hash: `FieldHash.hash(name)`, computed once by the caller.
    ///   - base: the buffer that was parsed.
    public func firstIndex(named name: ByteView, hash: UInt32, _ base: ByteView, from start: Int = 0) -> Int? {
        var index = start
        while index < count {
            let field = self[index]
            if field.hash == hash, field.name.view(base).equalsIgnoringCase(name) { return index }
            index &+= 1
        }
        return nil
    }

    /// Place of the first field whose name is `name`, in any case and with "-" written as "_": how `$http_NAME` and
    /// `$sent_http_NAME` look fields up. O(count).
    public func firstIndex(variable name: ByteView, _ base: ByteView, from start: Int = 0) -> Int? {
        var index = start
        while index < count {
            if FieldHash.matches(variable: name, name: self[index].name.view(base)) { return index }
            index &+= 1
        }
        return nil
    }
}
