// The fuzz target of the word-list parser, and of the vocabulary and the numbers made of its words.
// libFuzzer calls it with inputs of its own making.
//
// The parser works on bytes, in place. Here the same rules are written down a second time, slowly,
// on strings: whatever the input, both must accept it or both refuse it, and find the same words.
// What is accepted must then be read back from its stored form, and its words from their numbers.

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = unsafe [UInt8](UnsafeBufferPointer(start: data, count: count))
  withinOneSecond { check(bytes) }
  return 0
}

private func check(_ bytes: [UInt8]) {
  let expected = plainlyRead(bytes)
  do throws(WordListError) {
    let words = try WordList(utf8: bytes)
    precondition(Array(words) == expected, "read \(Array(words)), expected \(expected ?? [])")
    checkAccepted(words)
  } catch {
    precondition(expected == nil, "refused \(expected ?? []): \(error)")
    checkRefusal(error, of: bytes)
  }
  checkPieces(bytes)
}

// MARK: The rules, written down again

/// The words of a text, or nil if it must be refused.
private func plainlyRead(_ bytes: [UInt8]) -> [String]? {
  guard var text = String(validating: bytes, as: UTF8.self)?.unicodeScalars[...] else { return nil }
  if text.first == "\u{FEFF}" { text.removeFirst() }
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  var words: [String] = []
  for line in lines {
    let line = line.last == "\r" ? line.dropLast() : line
    guard line.count <= 10_000, line.allSatisfy(isAllowed) else { return nil }
    guard let first = line.firstIndex(where: { !isBlank($0) }),
      let last = line.lastIndex(where: { !isBlank($0) })
    else { continue }
    words.append(String(line[first...last]))
  }
  return words.isEmpty ? nil : words
}

private func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
  scalar == "\t"
    || scalar.properties.generalCategory != .control
      && !["\u{2028}", "\u{2029}", "\u{FEFF}"].contains(scalar)
}

private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
  scalar.properties.isWhitespace
}

// MARK: What must hold for a list, and for a refusal

private func checkAccepted(_ words: WordList) {
  precondition(words.utf8 == Array((words.joined(separator: "\n") + "\n").utf8), "stored text")
  let stored = try? WordList(utf8: words.utf8)
  precondition(stored == words, "the stored form is read differently")
  precondition(words.allSatisfy { !$0.isEmpty }, "an empty word")

  let vocabulary = Vocabulary(of: words)
  let scalars = Set(words.flatMap(\.unicodeScalars))
  precondition(vocabulary.symbols == scalars.sorted(), "the vocabulary")
  guard let encoded = try? EncodedWords(words, vocabulary: vocabulary) else {
    preconditionFailure("a vocabulary does not know its own words")
  }
  let pieces = encoded.ids.split(
    separator: Vocabulary.terminator, omittingEmptySubsequences: false)
  // Compared as scalars: `==` on strings would not see a change of normalization.
  let spelled = pieces.dropLast().map { Array(vocabulary.decode($0).unicodeScalars) }
  precondition(spelled == words.map { Array($0.unicodeScalars) }, "the numbers spell other words")
}

private func checkRefusal(_ error: WordListError, of bytes: [UInt8]) {
  let message = error.message(in: "words.txt").unicodeScalars
  precondition(message.allSatisfy { $0.properties.generalCategory != .control }, "not one line")
  guard let line = error.line else { return }
  precondition((1...bytes.count { $0 == 0x0A } + 1).contains(line), "line \(line)")
}

// MARK: The same in pieces

/// What is read of a text: its words, or the first thing that is wrong with it.
private typealias Reading = Result<[UInt8], WordListError>

/// A list that is read a piece at a time has the words and the errors of one that is read at once.
private func checkPieces(_ bytes: [UInt8]) {
  let (whole, pieces) = (reading(of: bytes), readingInPieces(of: bytes))
  switch (whole, pieces) {
  // What reveals another encoding may end beyond the first piece; the text is refused either way.
  case (.failure(.foreignEncoding), .failure), (.failure, .failure(.foreignEncoding)),
    (.failure(.foreignFormat), .failure), (.failure, .failure(.foreignFormat)):
    break
  // What may be behind an error is guessed from more or less text.
  case (.failure(let left), .failure(let right)) where left.line == right.line: break
  default: precondition(whole == pieces, "read \(whole) at once, \(pieces) in pieces")
  }
}

private func reading(of bytes: [UInt8]) -> Reading {
  var parser = WordListParser(text: bytes)
  return Result { () throws(WordListError) in try parser.parsePiece() }.map { parser.text }
}

/// Pieces of one line or two, by where they begin.
private func readingInPieces(of bytes: [UInt8]) -> Reading {
  var (text, lineCount, start) = ([UInt8](), 0, 0)
  while start < bytes.count {
    var end = start
    for _ in 0...(start + 1) % 2 {
      end = bytes[end...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
    }
    var parser = WordListParser(text: Array(bytes[start..<end]), isStart: start == 0)
    do throws(WordListError) { try parser.parsePiece() } catch {
      return .failure(error.shifted(lines: lineCount, bytes: start))
    }
    text += parser.text
    lineCount += parser.lineCount
    start = end
  }
  return .success(text)
}
