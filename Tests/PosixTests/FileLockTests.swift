// One process at a time, and no user's file is overwritten.

import Foundation
import Testing

@testable import Posix

@Suite("FileLock")
struct FileLockTests {
  let place: MadeTree
  var file: String { place.path + "/file" }

  init() throws { place = try MadeTree(["file": "old"]) }

  @Test("One lock at a time; the holder is known, and the file is removed with the lock")
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

  @Test("A lock whose file was removed is lost, and leaves another's file alone")
  func lostLock() throws {
    let path = place.path + "/.lock"
    do {
      guard case .taken(let lock) = try FileLock.take(path) else {
        Issue.record("held")
        return
      }
      try FileSystem.remove(path)
      #expect(!lock.isInPlace)
      try FileSystem.replace(path, with: [1])
      #expect(!lock.isInPlace)
    }
    #expect(try FileSystem.read(path) == [1])
  }

  @Test("A lock is not taken through a link")
  func linkedLock() throws {
    let path = place.path + "/.lock"
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: file)
    #expect(throws: SystemError.isLink(path, code: ELOOP)) { _ = try FileLock.take(path) }
    #expect(try FileSystem.read(file) == Array("old\n".utf8))
  }

  @Test("A file with other names is not locked, and stays as it is")
  func hardLinkedLock() throws {
    let path = place.path + "/.lock"
    for text in ["old\n", "123\n", ""] {
      try FileSystem.replace(file, with: Array(text.utf8))
      try FileManager.default.linkItem(atPath: file, toPath: path)
      #expect(throws: SystemError.hasOtherNames(path)) { _ = try FileLock.take(path) }
      #expect(try FileSystem.read(file) == Array(text.utf8))
      try FileSystem.remove(path)
    }
  }

  @Test("A file that holds anything but a process id is not locked, and stays as it is")
  func strangersLock() throws {
    let path = place.path + "/.lock"
    for text in [
      "mine", "12 mine\n", "12\nmine, and so much of it\n", "0x1", "12\nmine\n", "12\n\n",
      "\nsecret\n", "\n",
    ] {
      try FileSystem.replace(path, with: Array(text.utf8))
      #expect(throws: SystemError.exists(path)) { _ = try FileLock.take(path) }
      #expect(try FileSystem.read(path) == Array(text.utf8))
    }
    try FileSystem.remove(path)
    try #require(unsafe mkfifo(path, 0o600) == 0)
    #expect(throws: SystemError.notFile(path, but: "a device")) { _ = try FileLock.take(path) }
  }
}
