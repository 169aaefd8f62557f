import TestKit
import Testing

@Suite("The inputs of the fuzz target of configurations")
struct CorpusTests {
    @Test("every input of the corpus, every one that failed once, and changed ones keep the property")
    func replay() {
        let corpus = FuzzCorpus("FuzzConfig")
        #expect(corpus.inputs.count >= 6)
        for inputs in [corpus.inputs, corpus.failCases, corpus.mutations(count: 60)] {
            #expect(FuzzCorpus.failures(of: inputs, ConfigurationProperty.check) == [])
        }
    }
}
