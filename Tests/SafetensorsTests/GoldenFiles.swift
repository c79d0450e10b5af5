// Files written by the reference implementation, byte for byte, as its Python package gives them.
//
// Written by Tools/make_safetensors_fixtures.py; do not edit. What is in them is written down by
// hand in GoldenFileTests.swift, so that neither is derived from the other.

/// A file in the three parts of the format.
struct GoldenFile: Sendable {
  /// The eight bytes of the header's length, in hexadecimal digits.
  let length: String
  /// The header's text.
  let header: String
  /// The data, in hexadecimal digits.
  let data: String
}

extension GoldenFile {
  static let empty = GoldenFile(
    length: "0800000000000000",
    header: #"""
      {}\#u{20}\#u{20}\#u{20}\#u{20}\#u{20}\#u{20}
      """#,
    data: """

      """)

  static let numbers = GoldenFile(
    length: "7001000000000000",
    header: #"""
      {"counts":{"dtype":"I64","shape":[3],"data_offsets":[0,24]},"nothing":{"dtype":"\#
      I64","shape":[0,3],"data_offsets":[24,24]},"precise":{"dtype":"F64","shape":[2],\#
      "data_offsets":[24,40]},"scalar":{"dtype":"F32","shape":[],"data_offsets":[40,44\#
      ]},"weights":{"dtype":"F32","shape":[2,3],"data_offsets":[44,68]},"bytes":{"dtyp\#
      e":"U8","shape":[3],"data_offsets":[68,71]}}\#u{20}\#u{20}\#u{20}\#u{20}
      """#,
    data: """
      ffffffffffffffff000000000000000000000000000000409a9999999999b93f9c7500883ce437fe\
      0000c0bf0000803f000000c00000003f00005040000000800000807f007fff
      """)

  static let names = GoldenFile(
    length: "8002000000000000",
    header: #"""
      {"":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"\b\t\n\f\r\u0000\u001f\#
      \#u{7f}":{"dtype":"U8","shape":[],"data_offsets":[1,2]},"A":{"dtype":"U8","shape\#
      ":[],"data_offsets":[2,3]},"a":{"dtype":"U8","shape":[],"data_offsets":[3,4]},"e\#
      \#u{301}":{"dtype":"U8","shape":[],"data_offsets":[4,5]},"na\#u{ef}ve":{"dtype":\#
      "U8","shape":[],"data_offsets":[5,6]},"quote\" backslash\\ slash/":{"dtype":"U8"\#
      ,"shape":[],"data_offsets":[6,7]},"\#u{2028}":{"dtype":"U8","shape":[],"data_off\#
      sets":[7,8]},"\#u{6a21}\#u{578b}.\#u{6743}\#u{91cd}":{"dtype":"U8","shape":[],"d\#
      ata_offsets":[8,9]},"\#u{ffff}":{"dtype":"U8","shape":[],"data_offsets":[9,10]},\#
      "\#u{1f600}":{"dtype":"U8","shape":[],"data_offsets":[10,11]}}\#u{20}\#u{20}\#
      \#u{20}
      """#,
    data: """
      00020a0904030108050706
      """)

  static let metadata = GoldenFile(
    length: "6800000000000000",
    header: #"""
      {"__metadata__":{"format\n\"":"n\#u{e4}me\\\t\u0001"},"x":{"dtype":"F32","shape"\#
      :[1],"data_offsets":[0,4]}}\#u{20}\#u{20}
      """#,
    data: """
      0000803f
      """)

  static let metadataAlone = GoldenFile(
    length: "2000000000000000",
    header: #"""
      {"__metadata__":{"format":"pt"}}
      """#,
    data: """

      """)

  static let types = GoldenFile(
    length: "6804000000000000",
    header: #"""
      {"t":{"dtype":"U64","shape":[1],"data_offsets":[0,8]},"s":{"dtype":"I64","shape"\#
      :[1],"data_offsets":[8,16]},"r":{"dtype":"F64","shape":[1],"data_offsets":[16,24\#
      ]},"q":{"dtype":"C64","shape":[1],"data_offsets":[24,32]},"p":{"dtype":"F32","sh\#
      ape":[1],"data_offsets":[32,36]},"o":{"dtype":"U32","shape":[1],"data_offsets":[\#
      36,40]},"n":{"dtype":"I32","shape":[1],"data_offsets":[40,44]},"m":{"dtype":"BF1\#
      6","shape":[1],"data_offsets":[44,46]},"l":{"dtype":"F16","shape":[1],"data_offs\#
      ets":[46,48]},"k":{"dtype":"U16","shape":[1],"data_offsets":[48,50]},"j":{"dtype\#
      ":"I16","shape":[1],"data_offsets":[50,52]},"i":{"dtype":"F8_E5M2FNUZ","shape":[\#
      1],"data_offsets":[52,53]},"h":{"dtype":"F8_E4M3FNUZ","shape":[1],"data_offsets"\#
      :[53,54]},"g":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[54,55]},"f":{"dtype\#
      ":"F8_E4M3","shape":[1],"data_offsets":[55,56]},"e":{"dtype":"F8_E5M2","shape":[\#
      1],"data_offsets":[56,57]},"d":{"dtype":"I8","shape":[1],"data_offsets":[57,58]}\#
      ,"c":{"dtype":"U8","shape":[1],"data_offsets":[58,59]},"b":{"dtype":"F4","shape"\#
      :[2],"data_offsets":[59,60]},"a":{"dtype":"BOOL","shape":[1],"data_offsets":[60,\#
      61]}}\#u{20}\#u{20}\#u{20}
      """#,
    data: """
      98999a9b9c9d9e9f909192939495969788898a8b8c8d8e8f808182838485868778797a7b70717273\
      68696a6b6061585950514849403830282018100800
      """)
}
