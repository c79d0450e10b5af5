// swift-tools-version: 6.3
//
// The library as somebody else's package uses it: four programs, in the order in which to read
// them.

import PackageDescription

/// A program in the folder of its name.
func program(_ name: String) -> Target {
  .executableTarget(
    name: name,
    dependencies: ["CharMLP", "LinearAlgebra"].map { .product(name: $0, package: "CharMLP") })
}

let package = Package(
  name: "Examples",
  dependencies: [.package(name: "CharMLP", path: "..")],
  targets: [program("names"), program("own-loop"), program("conditions"), program("derivation")]
)
