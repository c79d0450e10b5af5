// What is written, what stays, and what is left.

import Foundation
import Testing

@testable import Posix

@Suite("Files that are written")
struct FileWritingTests {
  let place: MadeTree
  var file: String { place.path + "/file" }
  private static let old = Array("old\n".utf8)

  init() throws { place = try MadeTree(["file": "old"]) }

  private func mode(_ path: String) throws -> mode_t {
    try FileSystem.status(of: path).st_mode & 0o7777
  }

  @Test("A file is replaced as a whole; what others left beside it stays, and nothing else is left")
  func replacing() throws {
    let neighbours = [".new", ".tmp", "~"].map { "file" + $0 }
    for name in neighbours {
      try FileSystem.write([9], to: place.path + "/" + name)
    }
    try FileSystem.replace(file, with: [1])
    #expect(try FileSystem.read(file) == [1])
    #expect(try place.names() == ["file"] + neighbours.sorted())
    let directory = place.path + "/directory"
    try FileSystem.makeDirectory(directory)
    #expect(throws: SystemError.isDirectory(directory)) {
      try FileSystem.replace(directory, with: [1])
    }
    #expect(try place.names() == ["directory", "file"] + neighbours.sorted())
  }

  @Test("A replaced file keeps its mode", arguments: [0o600, 0o640, 0o644, 0o400] as [mode_t])
  func modes(mode: mode_t) throws {
    try #require(unsafe chmod(file, mode) == 0)
    try FileSystem.replace(file, with: [1])
    #expect(try self.mode(file) == mode)
    try FileSystem.replace(file, with: [2])
    #expect(try self.mode(file) == mode)
  }

  @Test("Other links to a file keep its old content, replaced or appended to")
  func hardLinks() throws {
    let backup = place.path + "/backup"
    try FileManager.default.linkItem(atPath: file, toPath: backup)
    try FileSystem.append(line: "new", to: file)
    #expect(try FileSystem.read(file) == Self.old + Array("new\n".utf8))
    #expect(try FileSystem.read(backup) == Self.old)
    // It has one name now, and grows in place.
    let number = try FileSystem.status(of: file).st_ino
    try FileSystem.append(line: "newer", to: file)
    #expect(try FileSystem.status(of: file).st_ino == number)
    try FileManager.default.removeItem(atPath: backup)
    try FileManager.default.linkItem(atPath: file, toPath: backup)
    let text = try FileSystem.read(backup)
    try FileSystem.replace(file, with: [1])
    #expect(try FileSystem.read(backup) == text)
    #expect(try place.names() == ["backup", "file"])
  }

  @Test("Lines are appended, but not through a symbolic link")
  func appending() throws {
    try FileSystem.append(line: "new", to: file)
    #expect(try FileSystem.read(file) == Array("old\nnew\n".utf8))
    let link = place.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
    #expect(throws: SystemError.isLink(link, code: ELOOP)) {
      try FileSystem.append(line: "x", to: link)
    }
    #expect(try FileSystem.read(file) == Array("old\nnew\n".utf8))
  }

  @Test("A user's file is made, never replaced; nor is a link, wherever it leads")
  func kept() throws {
    let new = place.path + "/new"
    try FileSystem.requireWritable(new)
    try FileSystem.write([1], to: new)
    #expect(try FileSystem.read(new) == [1])
    let (link, dangling) = (place.path + "/link", place.path + "/dangling")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
    try FileManager.default.createSymbolicLink(atPath: dangling, withDestinationPath: "nowhere")
    let names = try place.names()
    for path in [file, link, dangling] {
      for attempt in [
        { try FileSystem.write([2], to: path) }, { try FileSystem.requireWritable(path) },
        { try FileSystem.write([2], to: path, existing: .replacedIfBeginning([9])) },
      ] {
        let error = #expect(throws: SystemError.self) { try attempt() }
        #expect(error?.isExisting == true && error?.path == path)
      }
    }
    #expect(throws: SystemError.isDirectory(place.path)) {
      try FileSystem.write([2], to: self.place.path)
    }
    #expect(try FileSystem.read(file) == Self.old)
    #expect(try place.names() == names)
  }

  @Test("A file of ours is replaced by a newer one, and keeps its mode; so is an empty one")
  func ours() throws {
    try #require(unsafe chmod(file, 0o600) == 0)
    for opening in [Self.old, Array(Self.old.prefix(1)), []] {
      try FileSystem.replace(file, with: Self.old)
      try FileSystem.write([7], to: file, existing: .replacedIfBeginning(opening))
      #expect(try FileSystem.read(file) == [7])
      #expect(try mode(file) == 0o600)
    }
    try FileSystem.replace(file, with: [])
    try FileSystem.write([7], to: file, existing: .replacedIfBeginning(Self.old))
    #expect(try FileSystem.read(file) == [7])
    #expect(throws: SystemError.exists(file)) {
      try FileSystem.write([8], to: self.file, existing: .replacedIfBeginning([7, 7]))
    }
  }

  @Test("A link to a device is written as the device is: /dev/stdout is one")
  func devices() throws {
    let link = place.path + "/null"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/null")
    try FileSystem.write([1], to: link)
    try FileSystem.write([1], to: "/dev/null")
    #expect(try place.names() == ["file", "null"])
  }

  @Test("A file that cannot be written is named in the error, and leaves nothing behind")
  func failures() throws {
    let path = place.path + "/none/new"
    for attempt in [
      { try FileSystem.write([1], to: path) }, { try FileSystem.replace(path, with: [1]) },
    ] {
      #expect(throws: SystemError(path, code: ENOENT)) { try attempt() }
    }
    // So long a name is a file's, and the temporary's is short.
    let long = place.path + "/" + String(repeating: "n", count: 255)
    try FileSystem.write([1], to: long)
    try FileSystem.replace(long, with: [2])
    #expect(try FileSystem.read(long) == [2])
  }

  @Test(
    "A run's temporaries are known by their names",
    arguments: [
      (".new-0123456789abcdef", true), (".new-0123456789abcde", false), (".new-", false),
      (".new-0123456789abcdeF", false), (".tmp-0123456789abcdef", false), ("file", false),
    ])
  func temporaries(name: String, isTemporary: Bool) {
    #expect(FileSystem.isTemporaryOfRun(name) == isTemporary)
  }
}
