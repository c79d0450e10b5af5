// The program `charmlp`: its commands are those of the programs, and it is what its messages name.

import Foundation
import Testing

/// Whether a shell is here, which few machines have all of.
private func isInstalled(_ shell: String) -> Bool {
  let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
  return path.split(separator: ":").contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/\(shell)")
  }
}

@Suite("charmlp")
struct ToolTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  /// The commands that are programs of their own as well.
  private static let programs = ["train", "sample", "report", "gradcheck", "bench"]
  private static let commands = programs + ["import"]
  private static let quick = [
    "--recipe", "notebook", "--steps", "100", "--hidden", "8", "--samples", "2", "--quiet",
  ]

  @Test("A run is that of train, to the byte, and sample, score and report read it")
  func commands() throws {
    #expect(try place.run("train", Self.quick + ["--out", "a"]).status == 0)
    #expect(try place.run("charmlp", ["train"] + Self.quick + ["--out", "b"]).status == 0)
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
    for arguments in [
      ["--model", "a"], ["--model", "a", "--count", "3"], ["score", "anna", "--model", "a"],
      ["--model", "a", "score", "anna"], ["explain", "an", "--model", "a"],
    ] {
      let (own, inTool) = (
        try place.run("sample", arguments), try place.run("charmlp", ["sample"] + arguments)
      )
      #expect(inTool.status == 0 && inTool.output == own.output, "\(inTool.errors)")
    }
    #expect(try place.run("charmlp", ["report", "a"]).output == "report: a/report.html\n")
    #expect(try place.run("charmlp", ["gradcheck", "--hidden", "4"]).status == 0)
  }

  @Test("Errors, hints and suggested commands name the program as it was called")
  func names() throws {
    let flag = try place.run("charmlp", ["train", "--bogus"])
    expectRefusal(flag, status: 64, saying: "charmlp train: Unknown option '--bogus'")
    #expect(flag.errors.contains("See 'charmlp train --help'."))
    let word = try place.run("charmlp", ["sample", "score", "--bogus"])
    expectRefusal(word, status: 64, saying: "charmlp sample: ")
    #expect(word.errors.contains("See 'charmlp sample score --help'."))
    let list = try place.run("charmlp", ["train", "--data", "none.txt"])
    expectRefusal(list, status: 66, saying: "charmlp train: none.txt: no such file")
    try place.write([0x61, 0x0A, 0xE9, 0x6D, 0x69, 0x6C, 0x65, 0x0A], to: "latin.txt")
    let latin = try place.run("charmlp", ["train", "--data", "latin.txt"])
    #expect(latin.errors.contains(" | charmlp train --data -\n"), "\(latin.errors)")
    let command = try place.start(
      "charmlp",
      ["train", "--recipe", "notebook", "--steps", "100000000", "--hidden", "8", "--out", "run"])
    try command.wait { FileManager.default.fileExists(atPath: place.path("run/run.json")) }
    command.send(SIGTERM)
    let outcome = try command.outcome()
    #expect(
      outcome.errorLines.last == "To continue:  charmlp train --resume run", "\(outcome.errors)")
  }

  @Test("charmlp without a command shows its help; all examples begin with its name")
  func help() throws {
    let (outcome, asked) = (try place.run("charmlp", []), try place.run("charmlp", ["--help"]))
    #expect(outcome.status == 0 && outcome.output == asked.output)
    for command in Self.commands { #expect(outcome.output.contains("\n  \(command) ")) }
    let subcommands = ["score", "explain", "evaluate"].map { ["sample", $0] }
    for command in Self.commands {
      let help = try place.run("charmlp", [command, "--help"]).output
      #expect(try place.run("charmlp", ["help", command]).output == help)
      #expect(try place.run("charmlp", [command, "help"]).output == help)
    }
    for arguments in [[]] + Self.commands.map({ [$0] }) + subcommands {
      let text = try place.run("charmlp", arguments + ["--help"]).output
      let examples = try #require(text.split(separator: "USAGE: ").last).split(
        separator: "\n", omittingEmptySubsequences: false
      ).prefix { !$0.isEmpty }
      #expect(examples.allSatisfy { $0.drop { $0 == " " }.hasPrefix("charmlp ") }, "\(text)")
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)")
      #expect(text.contains("train towns.txt") || arguments.first != "train")
    }
    #expect(try place.run("train", ["--help"]).output.contains("USAGE: train "))
  }

  @Test(
    "A command that does not exist is refused, and the nearest is suggested",
    arguments: [
      (["tain"], "charmlp: Unknown subcommand 'tain'. Did you mean 'train'?"),
      (["samples"], "charmlp: Unknown subcommand 'samples'. Did you mean 'sample'?"),
      (
        ["sample", "scor", "a"], "charmlp sample: Unknown subcommand 'scor'. Did you mean 'score'?"
      ),
      (["something"], "charmlp: Unknown subcommand 'something'\n"),
      (["export"], "charmlp: Unknown subcommand 'export'\n"),
      (["score", "emma"], "charmlp: Unknown subcommand 'score'. Did you mean 'sample score'?"),
      (["help", "bogus"], "charmlp: Unknown subcommand 'bogus'\n"),
      (["train", "--device", "cpu"], "'--device'; CharMLP computes on the CPU"),
      (["train", "--top-k", "3"], "'--top-k'; it is a flag of sample"),
      (["train", "-V"], "Did you mean '--version'?"),
      (["gradcheck", "towns.txt"], "to read the file, write:  --data towns.txt"),
      (
        ["gradcheck", "mine.safetensors"], "to read the file, write:  --reference mine.safetensors"
      ),
    ])
  func unknown(arguments: [String], message: String) throws {
    expectRefusal(try place.run("charmlp", arguments), status: 64, saying: message)
  }

  @Test("--version of each command names it, the version, the kernels and the build")
  func version() throws {
    for arguments in [[]] + Self.commands.map({ [$0] }) {
      let text = try place.run("charmlp", arguments + ["--version"]).output
      let form = /charmlp \d+\.\d+\.\d+ \(.+ kernels; (native|portable) \w+ build\)\n/
      #expect(text.wholeMatch(of: form) != nil, "\(text)")
    }
    for command in Self.programs {
      #expect(try place.run(command, ["--version"]).output.hasPrefix("\(command) 0."))
    }
  }

  @Test("charmlp works without an environment, and from another place than the build's")
  func elsewhere() throws {
    let outcome = try place.guarded(
      """
      mkdir bin && cp "$(command -v charmlp)" bin
      env -i bin/charmlp train --recipe notebook --steps 20 --hidden 8 --samples 1
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("the bundled list of names: 8,423 words"))
  }

  @Test(
    "bash completes commands, flags, runs, files and recipes",
    arguments: [
      ("charmlp tr", ["train"]), ("charmlp train --rec", ["--recipe"]),
      ("charmlp train --recipe ", ["$(touch PWNED).json", "a.json", "best", "notebook"]),
      (
        "charmlp train --resume ",
        [
          "mine", #"runs/$HOME "'é\*;:~{a,b}"#, "runs/a$(touch PWNED)", "runs/b`touch PWNED`",
          "runs/towns-1", "runs/towns-2",
        ]
      ),
      ("charmlp train --resume runs/b", ["runs/b`touch PWNED`"]),
      ("charmlp sample --model runs/towns-2", ["runs/towns-2"]),
      ("charmlp sample --pre", ["--prefix"]), ("charmlp sample wor", []),
      ("charmlp train --recipe a", ["a.json"]),
      ("charmlp sample --model mi", ["mine", "mine.safetensors"]),
      ("charmlp sample --model runs/towns-1/b", ["runs/towns-1/best.safetensors"]),
      ("charmlp import mi", ["mine", "mine.safetensors"]),
      ("charmlp import --data to", ["towns.txt"]),
      (
        "charmlp sample score --model runs/t",
        ["runs/towns-1", "runs/towns-1/best.safetensors", "runs/towns-2"]
      ),
      ("charmlp report runs/towns-2", ["runs/towns-2"]),
      ("charmlp train --data to", ["towns.txt"]),
      ("charmlp help s", ["sample"]), ("charmlp help train ", []),
      ("charmlp help sample ", ["evaluate", "explain", "score"]),
      ("charmlp help sample sc", ["score"]),
      ("charmlp train --split ", ["hash", "shuffle"]), ("charmlp train --product=n", ["naive"]),
      ("charmlp train --backward ", ["derivation", "fused"]),
      ("charmlp help ", ["bench", "gradcheck", "import", "report", "sample", "train"]),
      ("charmlp train --optimizer=a", ["adamw"]), ("charmlp train --optimizer=", ["adamw", "sgd"]),
      ("charmlp train --optimizer=adamw --sch", ["--schedule"]),
      ("charmlp sample --model=runs/towns-2", ["runs/towns-2"]),
    ])
  func completions(line: String, words: [String]) throws {
    let outcome = try place.guarded(
      """
      mkdir -p runs/towns-1 runs/towns-2 mine; touch towns.txt a.json mine.safetensors
      touch mine/model.safetensors runs/towns-1/best.safetensors
      \(Self.strangeNames)
      charmlp --generate-completion-script bash >charmlp.bash
      cat >complete.bash <<'END'
      . ./charmlp.bash
      COMP_LINE='\(line)' COMP_POINT=${#COMP_LINE}
      # As bash does: a sign = is a word, and nothing of it is to be completed.
      read -r -a COMP_WORDS <<<"${COMP_LINE//=/ = }"
      case $COMP_LINE in *' ') COMP_WORDS+=('');; esac
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_POINT=${#COMP_LINE}
      word=${COMP_WORDS[COMP_CWORD]}
      "$(complete -p charmlp | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" charmlp "${word#=}" \
        "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      END
      bash complete.bash
      """)
    #expect(outcome.output.split(separator: "\n").map(String.init).sorted() == words, "\(outcome)")
    #expect(try !place.names(in: "").contains("PWNED"))
  }

  /// Makes names that a shell would run or change if it took them for words of its own.
  private static let strangeNames = #"""
    mkdir -p 'runs/a$(touch PWNED)' 'runs/b`touch PWNED`' 'runs/$HOME "'"'"'é\*;:~{a,b}'
    mkdir "$(printf 'runs/c\td')"; touch -- '$(touch PWNED).json' 'c`touch PWNED`.safetensors' -x.json
    """#
  /// Beginnings of these, and what each is completed to.
  private static let strangeBeginnings = [
    ("train --resume runs/a", "runs/a$(touch PWNED)"),
    ("sample --model runs/b", "runs/b`touch PWNED`"),
    ("report runs/\\$", #"runs/$HOME "'é\*;:~{a,b}"#),
    ("sample --model c", "c`touch PWNED`.safetensors"),
    ("train --recipe bes", "best"),
  ]

  @Test(
    "zsh completes names that it would run", .enabled(if: isInstalled("zsh")),
    arguments: strangeBeginnings)
  func zsh(line: String, name: String) throws {
    let outcome = try place.guarded(
      #"""
      \#(Self.strangeNames)
      charmlp --generate-completion-script zsh >charmlp.zsh
      cat >.zshrc <<'END'
      autoload -Uz compinit; compinit -D -u; . ./charmlp.zsh
      show() { print -r -- $BUFFER >typed.new; mv typed.new typed }; zle -N show; bindkey ^X show
      END
      cat >drive.zsh <<'END'
      zmodload zsh/zpty
      zpty z "TERM=xterm LC_ALL=C.UTF-8 ZDOTDIR=$PWD zsh -d -i"
      zpty -n -w z $'charmlp '$1$'\t\x18'
      until [[ -e typed ]]; do sleep 0.05; done
      zpty -d z
      words=(${(Q)${(z)"$(<typed)"}}); print -r -- $words[-1]
      END
      zsh -f drive.zsh '\#(line)'
      """#)
    #expect(outcome.output == name + "\n", "\(outcome)")
    #expect(try !place.names(in: "").contains("PWNED"))
  }

  @Test(
    "fish completes names that it would run", .enabled(if: isInstalled("fish")),
    arguments: strangeBeginnings)
  func fish(line: String, name: String) throws {
    let outcome = try place.guarded(
      #"""
      \#(Self.strangeNames)
      charmlp --generate-completion-script fish >charmlp.fish
      cat >drive.fish <<'END'
      source charmlp.fish
      complete -C"charmlp $argv[1]" | cut -f1
      END
      HOME="$PWD" LC_ALL=C.UTF-8 fish --no-config drive.fish '\#(line)'
      """#)
    #expect(outcome.output == name + "\n", "\(outcome)")
    #expect(try !place.names(in: "").contains("PWNED"))
  }

  @Test("A completion script is there for each shell, and for no other")
  func completionShells() throws {
    for (shell, part) in [
      ("bash", "complete -o filenames -F"), ("zsh", "'--optimizer=["),
      ("fish", "\"charmlp help\" -eq 1"),
    ] {
      let flag = "--generate-completion-script"
      let outcome = try place.run("charmlp", [flag, shell])
      #expect(outcome.status == 0 && outcome.output.contains(part), "\(outcome)")
      #expect(try place.run("charmlp", [flag + "=" + shell]).output == outcome.output)
    }
    expectRefusal(
      try place.run("charmlp", ["--generate-completion-script", "ksh"]), status: 64,
      saying: "one of zsh, bash, fish")
  }
}
