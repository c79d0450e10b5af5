// A terminal without a screen, to be asked for its width.

import Glibc

/// A pseudoterminal with a window of a given width. Linux answers for the window on the
/// controlling side as well, so the other side is never opened.
final class Pseudoterminal {
  let descriptor: CInt

  init?(columns: Int) {
    descriptor = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
    guard descriptor >= 0 else { return nil }
    var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    guard unsafe ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0 else { return nil }
  }

  deinit {
    close(descriptor)
  }
}
