// swift-tools-version: 6.3
//
// CharMLP: a character-level MLP on OpenBLAS whose every gradient is derived by hand.
// Targets stand in the order of the arrows between them.

import PackageDescription

// MARK: Settings, the same list for every target

/// `swift run` builds debug. All but the tests is optimized in both configurations, so that the
/// command as people type it trains as fast as a release build.
let optimizedInDebug: SwiftSetting = .unsafeFlags(["-O"], .when(configuration: .debug))

/// A build runs where it is made, so it uses that machine's vector instructions. Whoever ships a program
/// to other machines sets `CHARMLP_PORTABLE=1` in the environment of the build, also of a package that
/// depends on this one: the code then runs on every machine of the architecture. (OpenBLAS picks its
/// kernels where it runs, either way.)
let isPortable = Context.environment["CHARMLP_PORTABLE"] == "1"

#if arch(x86_64)
  let native: SwiftSetting = .unsafeFlags(["-Xcc", "-march=native"])
#else
  let native: SwiftSetting = .unsafeFlags(["-Xcc", "-mcpu=native"])
#endif
let instructionSet: SwiftSetting = isPortable ? .define("CHARMLP_PORTABLE") : native

/// Continuous integration accepts no warning; a newer compiler's new warning must not stop a user.
let warnings: [SwiftSetting] =
  Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

let testSettings = [.strictMemorySafety(), instructionSet] + warnings
let settings = testSettings + [optimizedInDebug]

/// Tests that run commands compute nothing themselves, and to optimize them takes minutes.
let commandTestSettings =
  testSettings + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

// MARK: Dependencies, and what all commands have in common

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let realModule: Target.Dependency = .product(name: "RealModule", package: "swift-numerics")

/// A command: a thin shell around the library, itself a library, so that a program can hold several.
func command(
  _ name: String, and others: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .target(
    name: name + "Command",
    dependencies: [
      "CharMLP", "CommandSupport", "LinearAlgebra", "OrderedJSON", "Posix", argumentParser,
    ]
      + others,
    path: "Sources/Commands/" + name,
    exclude: exclude,
    swiftSettings: settings)
}

/// A program that holds one command, in the folder of its name.
func program(_ name: String, of command: Target.Dependency) -> Target {
  .executableTarget(name: name, dependencies: [command], swiftSettings: settings)
}

/// `make docs` alone needs DocC's plugin; whoever depends on the library does not fetch it.
let documentation: [Package.Dependency] =
  Context.environment["CHARMLP_DOCS"] == nil
  ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")]

// MARK: The package

let package = Package(
  name: "CharMLP",
  products: [
    .library(name: "CharMLP", targets: ["CharMLP"]),
    .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
    .library(name: "Safetensors", targets: ["Safetensors"]),
    .executable(name: "charmlp", targets: ["CharMLPTool"]),
  ],
  traits: [
    .trait(name: "MPI", description: "Trains on several processes and machines, by MPI.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
  ] + documentation,
  targets: [
    .systemLibrary(name: "CLinux"),
    .target(name: "Posix", dependencies: ["CLinux"], swiftSettings: settings),
    .systemLibrary(
      name: "CBLAS",
      pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]
    ),
    .target(
      name: "LinearAlgebra",
      dependencies: ["CBLAS", realModule],
      swiftSettings: settings
    ),
    .target(name: "Safetensors", swiftSettings: settings),
    .target(name: "OrderedJSON", swiftSettings: settings),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
    .target(
      name: "CharMLP",
      dependencies: [
        "CZlib", "LinearAlgebra", "OrderedJSON", "Posix", "Safetensors", realModule,
        .target(name: "CMPI", condition: .when(traits: ["MPI"])),
      ],
      swiftSettings: settings
    ),
    .target(name: "CEmbeddedFiles"),
    .target(
      name: "CommandSupport",
      dependencies: [
        "CBLAS", "CEmbeddedFiles", "CharMLP", "LinearAlgebra", "OrderedJSON", "Posix",
        argumentParser, realModule,
      ],
      swiftSettings: settings),
    .target(
      name: "RunReport",
      dependencies: ["CharMLP", "CommandSupport", "LinearAlgebra", "OrderedJSON", "Posix"],
      exclude: ["Page"],
      swiftSettings: settings),
    command("Train", and: ["RunReport"]),
    command("Sample"),
    command("Bench"),
    command("Gradcheck", exclude: ["Page"]),
    command("Report", and: ["RunReport"]),
    command("Import"),
    program("train", of: "TrainCommand"),
    program("sample", of: "SampleCommand"),
    program("bench", of: "BenchCommand"),
    program("gradcheck", of: "GradcheckCommand"),
    program("report", of: "ReportCommand"),
    // All of them in the program `charmlp`; its folder's name differs from CharMLP by more than case.
    .executableTarget(
      name: "CharMLPTool",
      dependencies: [
        "BenchCommand", "GradcheckCommand", "ImportCommand", "ReportCommand", "SampleCommand",
        "TrainCommand", "CommandSupport", "Posix", argumentParser,
      ],
      path: "Sources/tool",
      swiftSettings: settings),

    .testTarget(name: "PosixTests", dependencies: ["Posix"], swiftSettings: testSettings),
    .testTarget(
      name: "LinearAlgebraTests",
      dependencies: ["LinearAlgebra", realModule],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "SafetensorsTests", dependencies: ["Safetensors"], swiftSettings: testSettings),
    .testTarget(
      name: "OrderedJSONTests", dependencies: ["OrderedJSON"], swiftSettings: testSettings),
    .testTarget(
      name: "CommandSupportTests",
      dependencies: ["CommandSupport", "Posix", argumentParser],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "CharMLPTests",
      dependencies: [
        "CharMLP", "LinearAlgebra", "OrderedJSON", "Posix", "Safetensors", realModule,
      ],
      resources: [.copy("Fixtures")],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "RunReportTests",
      dependencies: ["RunReport", "CharMLP", "CommandSupport", "OrderedJSON"],
      swiftSettings: testSettings
    ),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "BenchCommand", "OrderedJSON", "Safetensors", "train", "sample", "bench", "gradcheck",
        "report", "CharMLPTool",
      ],
      swiftSettings: commandTestSettings
    ),
  ]
)
