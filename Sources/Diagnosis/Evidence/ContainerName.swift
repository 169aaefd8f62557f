import Machine

/// The container that a control group belongs to, as docker, podman, containerd and CRI-O name theirs.
///
/// - docker, with systemd: `/system.slice/docker-ID.scope`, without: `/docker/ID`
/// - podman: `libpod-ID.scope`; Kubernetes: `cri-containerd-ID.scope`, `crio-ID.scope`, `/kubepods/…/ID`
enum ContainerName {
    /// The first 12 digits of the id, as the tools print it; nil: the control group is not of a container. O(length of the path).
    static func id(ofCgroup path: String) -> String? {
        for component in path.split(separator: "/").reversed() {
            var name = component
            if name.hasSuffix(".scope") { name = name.dropLast(6) }
            let id = name.split(separator: "-").last ?? name
            if id.utf8.count == 64, id.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) { return String(id.prefix(12)) }
        }
        return nil
    }

    /// Whether a unit runs containers and forwards their ports: who listens there is not who answers.
    static func isEngine(_ unit: String) -> Bool {
        ["docker.service", "containerd.service", "podman.service", "snap.docker.dockerd.service"].contains(unit)
    }
}
