// swift-tools-version: 6.3
//
// The library as somebody else's package uses it.

import PackageDescription

let package = Package(
  name: "Examples",
  dependencies: [.package(name: "CharMLP", path: "..")],
  targets: [
    .executableTarget(name: "names", dependencies: [.product(name: "CharMLP", package: "CharMLP")])
  ]
)
