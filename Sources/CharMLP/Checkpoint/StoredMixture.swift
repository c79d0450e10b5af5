// What a model file keeps of a mixture: its settings, and the words to count if the file has no word list.
//
// Counts are not stored. They follow from the words that the file carries; a list that is too long for
// that leaves the words of its sample that train.

internal import OrderedJSON
import Safetensors

/// The mixture of a checkpoint.
package struct StoredMixture: Equatable, Sendable {
  package let mixture: Mixture
  /// The words that are counted, if they are not those of the checkpoint's list that train.
  let words: StoredWords?

  init(_ mixture: Mixture, words: StoredWords? = nil) {
    (self.mixture, self.words) = (mixture, words)
  }

  /// The mixture with a network of a run; nil if the run's recipe wants none.
  ///
  /// - Parameter list: What the run's files keep of its list.
  package init?(_ trainer: Trainer, _ model: Model, _ list: StoredWords) {
    guard let mixture = trainer.mixture(with: model) else { return nil }
    self.init(mixture, words: list.isComplete ? nil : StoredWords(trainer.trainingWords))
  }
}

extension Checkpoint {
  /// The network, together with counts if the run mixes them.
  ///
  /// - Throws: `ModelFileError.words` if the words to count are missing, or have other symbols than
  ///   the network.
  public func predictor() throws(ModelFileError) -> Predictor {
    guard let mixture else { return Predictor(model) }
    let blockSize = max(1, mixture.mixture.order - 1)
    do {
      if let list = try mixture.words?.wordList() {
        let windows = try ContextWindows(
          list, selecting: Array(list.indices)[...], vocabulary: model.vocabulary,
          blockSize: blockSize)
        return Predictor(model, mixture.mixture, trainedOn: windows)
      }
      if let list = try wordList() {
        let windows = try Dataset(list, recipe).train
        return Predictor(model, mixture.mixture, trainedOn: windows)
      }
    } catch let error as ModelFileError {
      throw error
    } catch {
      throw .words("\(error)")
    }
    throw .words("expected the words that the mixture counts")
  }
}

// MARK: In a file

extension StoredMixture {
  private static let key = "mixture"
  private static let wordsKey = "mixture.words"
  private static let bytesKey = "mixture_words_bytes"

  func write(to file: inout SafetensorsFile) {
    let settings: JSONValue = [
      "weight": .number(mixture.weight), "order": .integer(mixture.order),
      "discount": .string(mixture.discounting.rawValue),
    ]
    file.metadata[Self.key] = settings.encoded()
    guard let words, case .compressed(let bytes) = words.content else { return }
    file.metadata[Self.bytesKey] = String(words.byteCount)
    file[Self.wordsKey] = Tensor(bytes, shape: [bytes.count])
  }

  /// Nil if the file has none.
  init?(_ file: SafetensorsFile) throws(ModelFileError) {
    guard let text = file.metadata[Self.key] else { return nil }
    guard let json = try? JSONValue(parsing: text), json.pairs?.count == 3,
      let weight = json["weight"]?.double, (0...1).contains(weight),
      let order = json["order"]?.whole(as: Int.self), Mixture.orders.contains(order),
      let discounting = json["discount"]?.text.flatMap(Discounting.init)
    else {
      throw .training(Self.key, expected: "a weight, an order and a discount")
    }
    var words: StoredWords?
    if let bytes = try? file.elements(named: Self.wordsKey, as: UInt8.self) {
      guard let count = file.metadata[Self.bytesKey].flatMap(Int.init), count > 0,
        count <= StoredWords.byteLimit
      else { throw .words("expected the length of the mixture's words") }
      words = StoredWords(.compressed(bytes), byteCount: count)
    }
    self.init(
      Mixture(weight: weight, order: order, discounting: discounting), words: words)
  }
}
