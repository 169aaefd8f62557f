import TestKit
import Testing

/// Replays the inputs of the fuzz targets: the corpora, and everything that failed once.
@Suite struct CorpusTests {
    static let properties: [String: @Sendable ([UInt8]) -> String?] = [
        "FuzzRequestHead": Property.requestHead, "FuzzResponseHead": Property.responseHead,
        "FuzzChunked": Property.chunked,
        "FuzzURI": Property.uri, "FuzzProxyProtocol": Property.proxyProtocol,
        "FuzzFieldValues": Property.fieldValues, "FuzzDNS": Property.dns,
    ]

    @Test func `every fuzz target has a replay, here or in ConfigTests`() {
        #expect(FuzzCorpus.targets == (Array(Self.properties.keys) + ["FuzzConfig"]).sorted())
    }

    @Test(arguments: properties.keys.sorted())
    func `every input of the corpora keeps the properties, and so do changed ones`(target: String) throws {
        let property = try #require(Self.properties[target])
        let corpus = FuzzCorpus(target)
        #expect(corpus.inputs.count >= 10)
        for inputs in [corpus.inputs, corpus.failCases, corpus.mutations(count: 600)] {
            #expect(FuzzCorpus.failures(of: inputs, property) == [])
        }
    }
}
