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
  }

  @Test("No more is read than the limit allows")
  func limits() throws {
    #expect(try FileSystem.read(file, limit: 4) == Array("old\n".utf8))
    #expect(throws: SystemError.tooLarge(file, limit: 3)) { try FileSystem.read(file, limit: 3) }
    let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0) }
    try FileSystem.overwrite(file, with: bytes)
    #expect(try FileSystem.read(file) == bytes)
  }

  @Test("A file is replaced as a whole, even where a temporary one was left, and none is left")
  func replacing() throws {
    try FileSystem.overwrite(file + FileSystem.temporaryEnding, with: [9, 9, 9])
    try FileSystem.replace(file, with: [1])
    #expect(try FileSystem.read(file) == [1])
    #expect(try place.names() == ["file"])
    let directory = place.path + "/directory"
    try FileSystem.makeDirectory(directory)
    #expect(throws: SystemError.isDirectory(directory)) {
      try FileSystem.replace(directory, with: [1])
    }
    #expect(try place.names() == ["directory", "file"])
  }

  @Test("Lines are appended, but not through a link")
  func appending() throws {
    try FileSystem.append(line: "new", to: file)
    #expect(try FileSystem.read(file) == Array("old\nnew\n".utf8))
    let link = place.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
    #expect(throws: SystemError(link, code: ELOOP)) { try FileSystem.append(line: "x", to: link) }
    #expect(try FileSystem.read(file) == Array("old\nnew\n".utf8))
  }

  @Test("A full disk is reported, and counts as a failed write")
  func full() {
    let error = #expect(throws: SystemError.self) {
      try FileSystem.overwrite("/dev/full", with: [1])
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

  @Test("One lock at a time; the holder is told, and the file goes with the lock")
  func locks() throws {
    let path = place.path + "/.lock"
    func holder() throws -> Int? {
      switch try FileLock.take(path) {
      case .taken(let lock):
        #expect(lock.isInPlace)
        guard case .held(let process) = try FileLock.take(path) else { return nil }
        return process
      case .held: return nil
      }
    }
    for _ in 0..<2 {
      #expect(try holder() == Int(getpid()))
      #expect(try place.names() == ["file"])
    }
  }

  @Test("Whose file was removed has lost the lock, and leaves another's file alone")
  func lostLock() throws {
    let path = place.path + "/.lock"
    do {
      guard case .taken(let lock) = try FileLock.take(path) else {
        Issue.record("held")
        return
      }
      try FileSystem.remove(path)
      #expect(!lock.isInPlace)
      try FileSystem.overwrite(path, with: [1])
      #expect(!lock.isInPlace)
    }
    #expect(try FileSystem.read(path) == [1])
  }

  @Test("A lock is not taken through a link")
  func linkedLock() throws {
    let path = place.path + "/.lock"
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: file)
    #expect(throws: SystemError(path, code: ELOOP)) { _ = try FileLock.take(path) }
    #expect(try FileSystem.read(file) == Array("old\n".utf8))
  }
}
