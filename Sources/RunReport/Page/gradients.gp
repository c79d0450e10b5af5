# The distribution of the gradients' magnitudes, tensor by tensor.
set terminal svg size 480,300 noenhanced font 'sans-serif,14'
set xlabel 'magnitude of a gradient'
set format x '1e%.0f'
set format y '%g%%'
set xrange [-8:1]
set xtics 2
set yrange [0:*]
set lmargin 7
set rmargin 2
plot for [k=1:6] 'gradients' using 1:(column(k + 1)) with lines linecolor rgb (16 + k) linewidth 2
