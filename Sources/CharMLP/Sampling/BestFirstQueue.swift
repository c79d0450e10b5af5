// What a best-first search opens next.

/// Numbers by a bound, the highest first, of equals the lower number: a binary heap.
struct BestFirstQueue {
  private var heap: [(bound: Double, number: Int)] = []

  mutating func add(_ number: Int, _ bound: Double) {
    heap.append((bound, number))
    var place = heap.count - 1
    while place > 0, isBefore(place, (place - 1) / 2) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func removeBest() -> Int? {
    guard let best = heap.first else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var place = 0
    while true {
      var first = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isBefore(child, first)
      {
        first = child
      }
      if first == place { return best.number }
      heap.swapAt(place, first)
      place = first
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    (heap[left].bound, heap[right].number) > (heap[right].bound, heap[left].number)
  }
}
