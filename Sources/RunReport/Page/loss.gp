# Losses over steps; the n-gram models as lines; perplexity = exp(loss) on the other axis.
set border 11
set ylabel 'loss, nats per character' offset 1,0
set y2label 'perplexity' offset -0.5,0
set link y2 via exp(y) inverse log(y)
set y2tics ()
set for [i=1:int(perplexity_marks)] y2tics add (sprintf('%g', value(sprintf('perplexity_%d', i))) value(sprintf('perplexity_%d', i)))
set y2range [*:*]
set offsets 0, 0, graph 0.04, graph 0.04
plot 'minibatches' using 1:2 with lines linecolor rgb 13 linewidth 1.5, \
     'baselines' using 1:2 with lines linecolor rgb 14 dashtype 2 linewidth 1.5, \
     'baselines' using 1:3 with lines linecolor rgb 15 dashtype 4 linewidth 1.5, \
     'losses' using 1:2 with linespoints pointtype 7 pointsize 0.4 linecolor rgb 11 linewidth 2, \
     'losses' using 1:3 with linespoints pointtype 7 pointsize 0.4 linecolor rgb 12 linewidth 2
