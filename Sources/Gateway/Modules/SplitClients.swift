import Config
import Loop
import Wire

/// split_clients (nginx: ngx_http_split_clients_module): a share of clients by the MurmurHash2 of a text.
extension Ref where Value == Request {
    func evaluateSplitClients(_ index: Int) -> ByteView? {
        let split = worker.value.http.value.configuration.value.http!.splitClients[index]
        let hash = MurmurHash2.hash(evaluate(split.source))
        for part in split.parts {
            guard let bound = part.upperBound else { return evaluate(part.value) }
            if hash < bound { return evaluate(part.value) }
        }
        return ByteView()
    }
}
