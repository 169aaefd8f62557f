/// What the command line asks for: nginx's options, with nginx's meaning.
package struct CommandLineOptions: Equatable, Sendable {
    /// What `-s` sends to the running supervisor.
    package enum Signal: String, CaseIterable, Sendable { case stop, quit, reopen, reload }

    /// `-v`, `-V` or `-h`: print the version, then with `showsConfigureArguments` how it was built, with `showsHelp` the options.
    package var showsVersion = false
    package var showsConfigureArguments = false
    package var showsHelp = false
    /// `--help` and `--version`, which nginx does not have: on standard output, as other programs do.
    package var printsToOutput = false
    /// `-t` and `-T`.
    package var testsConfiguration = false
    package var dumpsConfiguration = false
    /// `-q`.
    package var isQuiet = false
    package var signal: Signal?
    /// `-p`, `-c`, `-e`, `-g` as given.
    package var prefix: String?
    package var configurationFile: String?
    package var errorLog: String?
    package var globals: String?
    /// `goodgate run`: stay in the foreground whatever the configuration says.
    package var staysInForeground = false

    package init() {}
}

/// A command line that makes no sense. `message` is nginx's own, without the program's name.
package struct CommandLineError: Error, Equatable, Sendable {
    package var message: String

    package init(_ message: String) { self.message = message }
}

extension CommandLineOptions {
    /// Reads the arguments after the program's name. Options may be joined (`-tq`); a value may be glued (`-pDIR`) or the next word.
    /// - Parameter identity: under its own name the program knows `--help` and `--version`, and says what was probably meant.
    /// - Throws: the first thing that is wrong, in nginx's words.
    package init(parsing arguments: [String], as identity: Identity = Identity(programPath: "nginx")) throws(CommandLineError) {
        self.init()
        var index = 0
        while index < arguments.count {
            let word = Array(arguments[index].utf8)
            index += 1
            guard word.first == UInt8(ascii: "-") else {
                throw CommandLineError("invalid option: \"\(arguments[index - 1])\"")
            }
            if !identity.isNginx, word.starts(with: "--".utf8) {
                try set(long: String(decoding: word.dropFirst(2), as: UTF8.self))
                continue
            }
            var offset = 1
            letters: while offset < word.count {
                let letter = word[offset]
                offset += 1
                switch letter {
                case UInt8(ascii: "?"), UInt8(ascii: "h"): (showsVersion, showsHelp) = (true, true)
                case UInt8(ascii: "v"): showsVersion = true
                case UInt8(ascii: "V"): (showsVersion, showsConfigureArguments) = (true, true)
                case UInt8(ascii: "t"): testsConfiguration = true
                case UInt8(ascii: "T"): (testsConfiguration, dumpsConfiguration) = (true, true)
                case UInt8(ascii: "q"): isQuiet = true
                case UInt8(ascii: "p"), UInt8(ascii: "c"), UInt8(ascii: "e"), UInt8(ascii: "g"), UInt8(ascii: "s"):
                    let value: String
                    if offset < word.count {
                        value = String(decoding: word[offset...], as: UTF8.self)
                    } else if index < arguments.count {
                        value = arguments[index]
                        index += 1
                    } else {
                        throw CommandLineError(Self.missingValue(of: letter))
                    }
                    try set(letter, to: value, as: identity)
                    break letters
                default:
                    let name = String(Character(UnicodeScalar(letter)))
                    let hint = identity.isNginx ? "" : OptionHint.text(letter: name)
                    throw CommandLineError("invalid option: \"\(name)\"" + hint)
                }
            }
        }
    }

    private mutating func set(_ letter: UInt8, to value: String, as identity: Identity) throws(CommandLineError) {
        switch letter {
        case UInt8(ascii: "p"): prefix = value
        case UInt8(ascii: "c"): configurationFile = value
        case UInt8(ascii: "e"): errorLog = value
        case UInt8(ascii: "g"): globals = value
        default:
            guard let signal = Signal(rawValue: value) else {
                throw CommandLineError("invalid option: \"-s \(value)\"" + (identity.isNginx ? "" : OptionHint.text(signal: value)))
            }
            self.signal = signal
        }
    }

    private mutating func set(long name: String) throws(CommandLineError) {
        switch name {
        case "help": (showsVersion, showsHelp, printsToOutput) = (true, true, true)
        case "version": (showsVersion, printsToOutput) = (true, true)
        default: throw CommandLineError("unknown option \"--\(name)\"" + OptionHint.text(long: name))
        }
    }

    private static func missingValue(of letter: UInt8) -> String {
        let kind =
            switch letter {
            case UInt8(ascii: "p"): "directory name"
            case UInt8(ascii: "c"), UInt8(ascii: "e"): "file name"
            default: "parameter"
            }
        return "option \"-\(Character(UnicodeScalar(letter)))\" requires \(kind)"
    }
}
