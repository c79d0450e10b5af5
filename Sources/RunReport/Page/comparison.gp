# The validation losses of several runs over their steps, or over the share of them where runs differ in length;
# dashed, the best n-gram model on each run's words.
set ylabel 'validation loss, nats per character' offset 1,0
set rmargin 3.5
if (is_share) set xlabel 'percent of the steps'
plot for [k=1:runs] sprintf('counting%d', k) using 1:2 with lines dashtype 2 linecolor rgb (17 + (k - 1) % 8) linewidth 1.5, \
     for [k=1:runs] sprintf('run%d', k) using 1:2 with linespoints pointtype 7 pointsize 0.4 linecolor rgb (17 + (k - 1) % 8) linewidth 2
