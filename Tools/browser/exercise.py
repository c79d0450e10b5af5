"""Lines for docs/gradcheck.html: those of the exercise as a notebook has them, and wrong ones."""

# Each tensor's lines as they stand in the notebook.
RIGHT_LINES = {
    "dlogprobs": "dlogprobs = torch.zeros_like(logprobs); dlogprobs[range(n), Yb] = -1.0/n",
    "dprobs": "dprobs = (1.0/probs) * dlogprobs",
    "dcounts_sum_inv": "dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)",
    "dcounts_sum": "dcounts_sum = (-counts_sum**-2) * dcounts_sum_inv",
    "dcounts": "dcounts = counts_sum_inv * dprobs\ndcounts = dcounts + torch.ones_like(counts) * dcounts_sum",
    "dnorm_logits": "dnorm_logits = counts * dcounts",
    "dlogit_maxes": "dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)",
    "dlogits": "dlogits = dnorm_logits.clone()\ndlogits = dlogits + "
               "F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes",
    "dh": "dh = dlogits @ W2.T",
    "dW2": "dW2 = h.T @ dlogits",
    "db2": "db2 = dlogits.sum(0)",
    "dhpreact": "dhpreact = (1.0 - h**2) * dh",
    "dbngain": "dbngain = (bnraw * dhpreact).sum(0, keepdim=True)",
    "dbnbias": "dbnbias = dhpreact.sum(0, keepdim=True)",
    "dbnraw": "dbnraw = bngain * dhpreact",
    "dbnvar_inv": "dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)",
    "dbnvar": "dbnvar = (-0.5*(bnvar + 1e-5)**-1.5) * dbnvar_inv",
    "dbndiff2": "dbndiff2 = (1.0/(n-1))*torch.ones_like(bndiff2) * dbnvar",
    "dbndiff": "dbndiff = bnvar_inv * dbnraw\ndbndiff = dbndiff + (2*bndiff) * dbndiff2",
    "dbnmeani": "dbnmeani = (-dbndiff).sum(0)",
    "dhprebn": "dhprebn = dbndiff.clone()\n"
               "dhprebn = dhprebn + 1.0/n * (torch.ones_like(hprebn) * dbnmeani)",
    "dembcat": "dembcat = dhprebn @ W1.T",
    "dW1": "dW1 = embcat.T @ dhprebn",
    "db1": "db1 = dhprebn.sum(0)",
    "demb": "demb = dembcat.view(emb.shape)",
    "dC": "dC = torch.zeros_like(C)\nfor k in range(Xb.shape[0]):\n    for j in range(Xb.shape[1]):\n"
          "        dC[Xb[k,j]] += demb[k,j]",
}

# The tensor, its lines, the verdict, and what the page says of it.
WRONG_LINES = [
    ("dlogprobs", "dlogprobs = torch.zeros_like(logprobs); dlogprobs[range(n), Yb] = -1.0", "here", "the mean over n"),
    ("dlogprobs", "dlogprobs = torch.zeros_like(logprobs); dlogprobs[range(n), Yb] = 1.0/n", "here", "its sign"),
    ("dprobs", "dprobs = dlogprobs.clone()", "here", "a factor left out"),
    ("dcounts_sum_inv", "dcounts_sum_inv = (counts * dprobs).sum(0, keepdim=True)", "shape", "summed along the other"),
    ("dcounts_sum", "dcounts_sum = counts_sum**-2 * dcounts_sum_inv", "here", "its sign"),
    ("dcounts", "dcounts = counts_sum_inv * dprobs", "here", "counts has two uses"),
    ("dh", "dh = 2 * dlogits @ W2.T", "here", "a constant factor"),
    ("dW2", "dW2 = dlogits.T @ h", "shape", "the transpose"),
    ("dhpreact", "dhpreact = (1.0 - h**2)", "here", "a factor left out"),
    ("dbngain", "dbngain = bnraw * dhpreact", "shape", "not summed"),
    ("dbnvar", "dbnvar = (0.5*(bnvar + 1e-5)**-1.5) * dbnvar_inv", "here", "its sign"),
    ("dbnvar", "dbnvar = (-0.5*bnvar**-1.5) * dbnvar_inv", "here", "without ε"),
    ("dbndiff2", "dbndiff2 = (1.0/n)*torch.ones_like(bndiff2) * dbnvar", "here", "Bessel"),
    ("dbndiff", "dbndiff = bnvar_inv * dbnraw + bndiff * dbndiff2", "here", "the square"),
    ("dhprebn", "dhprebn = dbndiff.clone()", "here", "hprebn has two uses"),
    ("dC", "dC = torch.zeros_like(C)\nfor k in range(Xb.shape[0]):\n    for j in range(Xb.shape[1]):\n"
           "        dC[Xb[k,j]] = demb[k,j]", "here", "equals the last write of each row"),
    ("dC", "dC = torch.zeros_like(C)\ndC[Xb] += demb", "here", "equals the last write of each row"),
]

# Lines that are refused, and what the message says.
REFUSED_LINES = [
    ("dprobs = dlogprobs / prob", "prob is not defined; probs?"),
    ("dprobs = dprobs + dlogprobs", "dprobs is not defined yet"),
    ("dprobs = dlogprobs % probs", "% is not understood"),
    ("dprobs = dlogprobs.cumsum(0)", "has no .cumsum"),
    ("dprobs = torch.relu(probs)", "torch.relu is not understood"),
    ("dprobs = probs.grad", "no autograd"),
    ("import torch", "import is not needed"),
    ("dprobs = dlogprobs @ probs", "(4, 3) @ (4, 3) do not fit: 3 is not 4"),
    ("dprobs = dh * probs", "(4, 5) * (4, 3) do not fit"),
    ("dprobs = (dlogprobs", "not closed"),
    ("dprobs = dlogprobs)", "never opened"),
    ("dprobs = probs[:, 0]", "slices are not understood"),
    ("dprobs = probs[4, 0]", "out of range"),
    ("dprobs = probs.sum(2)", "no dimension 2"),
    ("dprobs = logits.max(1)", ".values and .indices"),
    ("probs = dlogprobs.view(5)", "cannot be viewed"),
    ("C = 3", "C is given"),
    ("dprobs =", "ends too early"),
    ("for k in probs: x = 1", "over a range"),
    ("for k in range(100000):\n    x = k", "too many steps"),
    ("dprobs = \"probs\"", "is not understood"),
    ("dprobs = <script>", "found <"),
]
