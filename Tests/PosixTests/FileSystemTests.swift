// Files by their paths: what is refused, what is replaced, and what stays.

import Foundation
import Testing

@testable import Posix

@Suite("FileSystem")
struct FileSystemTests {
  let place: MadeTree
  var file: String { place.path + "/file" }

  init() throws { place = try MadeTree(["file": "old"]) }

  @Test("An error names the path and gives the system's reason")
  func errors() throws {
    let path = place.path + "/none"
    let error = #expect(throws: SystemError.self) { try FileSystem.read(path) }
    #expect(error?.description == "\(path): No such file or directory")
    #expect(error?.isMissing == true)
    #expect(SystemError(code: ENOSPC).description == "No space left on device")
    #expect(SystemError(code: EINTR).at("x") == SystemError("x", code: EINTR))
    #expect(throws: SystemError.isDirectory(place.path)) { try FileSystem.read(place.path) }
    #expect(throws: SystemError("/dev/null", code: EINVAL, "a device, not a file")) {
      try FileSystem.read("/dev/null")
    }
  }

  @Test("A path with a NUL leads nowhere")
  func nul() {
    #expect(throws: SystemError(file + "\0", code: ENOENT)) {
      _ = try OpenFile(reading: file + "\0")
    }
  }

  @Test("A FIFO is refused before anybody waits for its writer")
  func fifo() throws {
    let path = place.path + "/fifo"
    try #require(unsafe mkfifo(path, 0o600) == 0)
    #expect(throws: SystemError(path, code: EINVAL, "a pipe, not a file")) {
      try FileSystem.read(path)
    }
    // There is no reader either, and nobody waits for one.
    #expect(throws: SystemError(path, code: ENXIO)) { try FileSystem.append(line: "x", to: path) }
    // Where one is welcome, it is waited for a while.
    @Sendable func wait(_ open: () throws(SystemError) -> Void) {
      let error = #expect(throws: SystemError.self) { try open() }
      #expect(error?.reason == "a pipe, and nobody opened its other end for 5 seconds")
    }
    let other = place.path + "/other"
    try #require(unsafe mkfifo(other, 0o600) == 0)
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      if index == 0 {
        wait { () throws(SystemError) in _ = try OpenFile(reading: path) }
      } else {
        wait { () throws(SystemError) in try FileSystem.write([1], to: other) }
      }
    }
  }

  @Test("No more is read than the limit allows")
  func limits() throws {
    #expect(try FileSystem.read(file, limit: 4) == Array("old\n".utf8))
    #expect(throws: SystemError.tooLarge(file, limit: 3)) { try FileSystem.read(file, limit: 3) }
    let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0) }
    try FileSystem.replace(file, with: bytes)
    #expect(try FileSystem.read(file) == bytes)
  }

  @Test("A full disk is reported, and counts as a failed write")
  func full() {
    let error = #expect(throws: SystemError.self) {
      try FileSystem.write([1], to: "/dev/full")
    }
    #expect(error == SystemError("/dev/full", code: ENOSPC))
    #expect(error?.isFailedWrite == true)
  }

  @Test("Removing what is not there is no error, removing a directory is one")
  func removing() throws {
    try FileSystem.remove(file)
    try FileSystem.remove(file)
    #expect(try place.names() == [])
    #expect(throws: SystemError.self) { try FileSystem.remove(place.path) }
  }
}
