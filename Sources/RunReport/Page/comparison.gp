# The validation losses of several runs over their steps.
set ylabel 'validation loss, nats per character' offset 1,0
set rmargin 3.5
plot for [k=1:runs] sprintf('run%d', k) using 1:2 with linespoints pointtype 7 pointsize 0.4 linecolor rgb (17 + (k - 1) % 8) linewidth 2
