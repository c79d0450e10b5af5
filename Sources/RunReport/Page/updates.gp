# log10 of std(update) / std(data) over steps; the line is the lecture's rule of thumb.
set terminal svg size 480,300 noenhanced font 'sans-serif,14'
set ylabel 'log10 of update to data'
set lmargin 10
set rmargin 3.5
set arrow from graph 0, first -3 to graph 1, first -3 nohead dashtype 2 linecolor rgb 3
set yrange [*<-3.5:-2.5<*]
plot for [k=1:3] 'updates' using 1:(column(k + 1)) with linespoints pointtype 7 pointsize 0.4 linecolor rgb (16 + k) linewidth 2
