# The distribution of tanh activations; what is saturated in another colour.
set terminal svg size 480,300 noenhanced font 'sans-serif,14'
set xlabel 'activation'
set ylabel 'share' offset 1,0
set format y '%.0f%%'
set xrange [-1.03:1.03]
set yrange [0:*]
set xtics 0.5
set boxwidth 0.046
set rmargin 2
plot 'activations' using 1:2 with boxes linecolor rgb '#000011', \
     'saturated' using 1:2 with boxes linecolor rgb '#000012'
