# The distribution of tanh activations, saturated ones in another colour.
set terminal svg size 480,300 noenhanced font 'sans-serif,14'
set xlabel 'activation'
set format y '%g%%'
set xrange [-1.06:1.06]
set yrange [0:*]
set xtics 0.5
set boxwidth 0.056
set lmargin 7
set rmargin 2
plot 'activations' using 1:2 with boxes linecolor rgb 11, \
     'saturated' using 1:2 with boxes linecolor rgb 12
