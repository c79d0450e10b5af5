// How many cases a test tries that tries many at random.
//
// Tests are not optimized in debug builds, and what they ask of a generic library is not
// specialized: there a random case takes several times as long, and some are tried. Release builds,
// which continuous integration tests as well, try all of them; CHARMLP_ALL_CASES=1 makes debug
// builds do so, too.

import Foundation

#if DEBUG
  let triesAllCases = ProcessInfo.processInfo.environment["CHARMLP_ALL_CASES"] == "1"
#else
  let triesAllCases = true
#endif

/// The seeds from 1 to a number, or a fifth of them.
func seeds(_ count: UInt64) -> ClosedRange<UInt64> { 1...(triesAllCases ? count : count / 5) }
