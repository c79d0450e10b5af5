// The commands with stdout and stderr in every state in which a shell can start them.

import Foundation
import Testing

@Suite("Standard streams")
struct StandardStreamTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  private static let train =
    "train --recipe notebook --steps 20 --hidden 8 --samples 3 --quiet"

  @Test(
    "A stdout that is full or closed ends with 74 and one line", arguments: ["> /dev/full", ">&-"])
  func lostResults(redirection: String) throws {
    let commands = [
      Self.train, "\(Self.train) --json", "train --help", "train --version", "gradcheck --hidden 4",
    ]
    for command in commands {
      let outcome = try place.guarded("\(command) \(redirection)")
      #expect(outcome.status == 74, "\(command): \(outcome.errors)")
      #expect(outcome.errorLines.count == 1, "\(command): \(outcome.errors)")
      #expect(outcome.errors.contains(": stdout: "), "\(command): \(outcome.errors)")
    }
  }

  @Test(
    "What was learned is saved before a lost stdout is reported", arguments: ["> /dev/full", ">&-"])
  func savedAnyway(redirection: String) throws {
    #expect(try place.guarded("\(Self.train) --out a \(redirection)").status == 74)
    #expect(try place.guarded("\(Self.train) --out b").status == 0)
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
    let sampling = try place.guarded("sample --model a --count 100000 \(redirection)")
    #expect(sampling.status == 74)
    #expect(sampling.errorLines.count == 1)
  }

  @Test("A stderr that is closed or full changes nothing", arguments: ["2>&-", "2> /dev/full"])
  func lostMessages(redirection: String) throws {
    let loud = Self.train.replacingOccurrences(of: " --quiet", with: "")
    let outcome = try place.guarded("\(loud) --out a \(redirection)")
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("loss"))
    #expect(try place.guarded("train --steps 0 \(redirection)").status == 64)
    #expect(try place.guarded("train --data none.txt \(redirection)").status == 66)
  }

  @Test("With all three streams closed, nothing is written into a file that is not meant")
  func allClosed() throws {
    #expect(try place.guarded("\(Self.train) --out a <&- >&- 2>&-").status == 74)
    #expect(try place.guarded("\(Self.train) --out b").status == 0)
    #expect(try place.read("a/model.safetensors") == place.read("b/model.safetensors"))
  }

  @Test("No file gets the number of a closed stream: the null device does, opened the wrong way")
  func held() throws {
    let outcome = try place.guarded(
      """
      train --recipe notebook --steps 100000000 --hidden 8 --quiet --out run <&- >&- 2>&- &
      until test -e run/run.json || ! kill -0 $!; do sleep 0.05; done
      for number in 0 1 2; do
        readlink /proc/$!/fd/$number
        sed -n 's/^flags:.*\\(.\\)$/\\1/p' /proc/$!/fdinfo/$number
      done
      kill -KILL $!
      """)
    // 1 is open for writing, 0 for reading (fcntl.h).
    #expect(outcome.output == "/dev/null\n1\n/dev/null\n0\n/dev/null\n0\n", "\(outcome.errors)")
  }
}
