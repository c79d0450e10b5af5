// Commands under conditions that only a shell can make: FIFOs, closed descriptors, full disks,
// files that vanish. A guard ends what hangs: whatever is still there after five minutes is killed,
// and its status is then 137.

import Foundation
import Testing

extension Workplace {
  /// Runs a line of shell here, in which `train` and the other commands are those of this build.
  func guarded(_ line: String) throws -> Outcome {
    try write("export PATH='\(Self.builtCommands)':\"$PATH\"\n\(line)\n".utf8, to: "line.sh")
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // `timeout` makes the line the leader of a group, and kills all of it; what the line left in
    // the background is ended too, or this would wait for it.
    process.arguments = [
      "timeout", "--signal=KILL", String(300 * patience), "sh", "-c",
      "sh line.sh </dev/null >stdout 2>stderr; echo $? >status; kill -KILL 0",
    ]
    process.currentDirectoryURL = url
    process.environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    try process.run()
    process.waitUntilExit()
    let status = String(decoding: (try? read("status")) ?? Data(), as: UTF8.self)
    try? FileManager.default.removeItem(atPath: path("status"))
    return Outcome(
      status: Int32(status.dropLast()) ?? 137,
      output: String(decoding: try read("stdout"), as: UTF8.self),
      errors: String(decoding: try read("stderr"), as: UTF8.self))
  }

  /// Whether a run was begun here.
  var hasRun: Bool { FileManager.default.fileExists(atPath: path("runs")) }

  private static var builtCommands: String {
    URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path
  }
}

/// What stands before a command that is to have an ordinary user's rights: as the superuser, the
/// word that gives away the right to read and write whatever the modes say (util-linux).
let ordinaryUser =
  geteuid() == 0 ? "setpriv --bounding-set=-dac_override,-dac_read_search --" : ""

/// Whether this was built with a sanitizer, whose memory takes terabytes of addresses: where those
/// are limited, no such process starts.
let isSanitized = isThreadSanitized || isLinked("__asan_init")
/// Whether it is the one of threads, which maps a file of its own: where their size is limited, it
/// fails.
let isThreadSanitized = isLinked("__tsan_init")

private func isLinked(_ name: String) -> Bool { unsafe dlsym(nil, name) != nil }

/// How many times longer than usual a command may take: the thread sanitizer makes it as much
/// slower.
let patience = isSanitized ? 10 : 1

/// What stands before a command that is to find no thread left in the system: the superuser is not
/// held to the limit, so it becomes somebody else, who may go on reading and writing what belongs
/// to it.
let withoutThreads =
  "env OPENBLAS_NUM_THREADS=1 prlimit --nproc=1 "
  + (geteuid() == 0
    ? "setpriv --reuid=54321 --inh-caps=+dac_override --ambient-caps=+dac_override --" : "--")

/// A line that leaves the lines after it one core, the first one that the test has: what a command
/// asks of a machine depends on its cores (util-linux).
let onOneCore =
  "taskset -cp $(taskset -cp $$ | sed 's/.*: //; s/[,-].*//') $$ >taskset.log; export OPENBLAS_NUM_THREADS=1"

/// A refusal as every command must give it: its status, one or two lines of message, no results.
func expectRefusal(
  _ outcome: Outcome, status: Int32, saying text: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(
    (1...2).contains(outcome.errorLines.count), "\(outcome.errors)", sourceLocation: sourceLocation)
  #expect(
    text.isEmpty || outcome.errors.contains(text), "\(outcome.errors)",
    sourceLocation: sourceLocation)
  #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
}
