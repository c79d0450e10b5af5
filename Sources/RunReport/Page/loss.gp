# Losses over steps; the n-gram models as lines; perplexity = exp(loss) on the other axis.
set border 11
set xlabel 'step'
set ylabel 'loss, nats per character' offset 1,0
set y2label 'perplexity' offset -0.5,0
set format x '%.0s%c'
set link y2 via exp(y) inverse log(y)
set y2tics perplexity_step
set y2range [*:*]
plot 'baselines' using 1:2 with lines linecolor rgb 14 dashtype 2 linewidth 1.5, \
     'baselines' using 1:3 with lines linecolor rgb 15 dashtype 4 linewidth 1.5, \
     'losses' using 1:2 with linespoints pointtype 7 pointsize 0.35 linecolor rgb 13 linewidth 1, \
     'losses' using 1:3 with linespoints pointtype 7 linecolor rgb 11 linewidth 2, \
     'losses' using 1:4 with linespoints pointtype 7 linecolor rgb 12 linewidth 2
