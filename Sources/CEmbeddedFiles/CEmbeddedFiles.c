// The files that the programs carry: the bundled list and the parts of their pages.
//
// The compiler takes them in as they are. An array literal of Swift, which is what SwiftPM makes of a
// resource, takes it half a minute for the same bytes.

#include "CEmbeddedFiles.h"

#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

static const struct {
  const char *name;
  const char *text;
} files[] = {
  {"names.txt", (const char[]) {
#embed "../../data/names.txt" suffix(, 0)
  }},
  {"report/activations.gp", (const char[]) {
#embed "../RunReport/Page/activations.gp" suffix(, 0)
  }},
  {"report/basics.gp", (const char[]) {
#embed "../RunReport/Page/basics.gp" suffix(, 0)
  }},
  {"report/comparison.gp", (const char[]) {
#embed "../RunReport/Page/comparison.gp" suffix(, 0)
  }},
  {"report/comparison.html", (const char[]) {
#embed "../RunReport/Page/comparison.html" suffix(, 0)
  }},
  {"report/dlogits.gp", (const char[]) {
#embed "../RunReport/Page/dlogits.gp" suffix(, 0)
  }},
  {"report/embedding.gp", (const char[]) {
#embed "../RunReport/Page/embedding.gp" suffix(, 0)
  }},
  {"report/frame.html", (const char[]) {
#embed "../RunReport/Page/frame.html" suffix(, 0)
  }},
  {"report/generator.js", (const char[]) {
#embed "../RunReport/Page/generator.js" suffix(, 0)
  }},
  {"report/gradients.gp", (const char[]) {
#embed "../RunReport/Page/gradients.gp" suffix(, 0)
  }},
  {"report/loss.gp", (const char[]) {
#embed "../RunReport/Page/loss.gp" suffix(, 0)
  }},
  {"report/page.html", (const char[]) {
#embed "../RunReport/Page/page.html" suffix(, 0)
  }},
  {"report/learningRate.gp", (const char[]) {
#embed "../RunReport/Page/learningRate.gp" suffix(, 0)
  }},
  {"report/saturation.gp", (const char[]) {
#embed "../RunReport/Page/saturation.gp" suffix(, 0)
  }},
  {"report/steps.gp", (const char[]) {
#embed "../RunReport/Page/steps.gp" suffix(, 0)
  }},
  {"report/style.css", (const char[]) {
#embed "../RunReport/Page/style.css" suffix(, 0)
  }},
  {"report/updates.gp", (const char[]) {
#embed "../RunReport/Page/updates.gp" suffix(, 0)
  }},
  {"notebook/derivation.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/derivation.js" suffix(, 0)
  }},
  {"notebook/derivation.md", (const char[]) {
#embed "../../docs/derivation.md" suffix(, 0)
  }},
  {"notebook/graph.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/graph.js" suffix(, 0)
  }},
  {"notebook/lines.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/lines.js" suffix(, 0)
  }},
  {"notebook/matrix.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/matrix.js" suffix(, 0)
  }},
  {"notebook/notebook.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/notebook.js" suffix(, 0)
  }},
  {"notebook/page.html", (const char[]) {
#embed "../Commands/Gradcheck/Page/page.html" suffix(, 0)
  }},
  {"notebook/page.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/page.js" suffix(, 0)
  }},
  {"notebook/pass.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/pass.js" suffix(, 0)
  }},
  {"notebook/practice.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/practice.js" suffix(, 0)
  }},
  {"notebook/safetensors.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/safetensors.js" suffix(, 0)
  }},
  {"notebook/style.css", (const char[]) {
#embed "../Commands/Gradcheck/Page/style.css" suffix(, 0)
  }},
  {"notebook/verdicts.js", (const char[]) {
#embed "../Commands/Gradcheck/Page/verdicts.js" suffix(, 0)
  }},
};

const char *embedded_file(const char *name) {
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    if (!strcmp(files[i].name, name)) return files[i].text;
  return 0;
}
