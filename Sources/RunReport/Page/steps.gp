# The axis of steps: a few round marks, so that they have room on a phone.
set xlabel 'step'
set xrange [0:last_step]
unit = last_step >= 1e6 ? 1e6 : last_step >= 1e4 ? 1e3 : 1
suffix = last_step >= 1e6 ? 'M' : last_step >= 1e4 ? 'k' : ''
set xtics ()
set for [i=0:int(last_step / step_marks)] xtics add ((i ? sprintf('%g%s', i * step_marks / unit, suffix) : '0') i * step_marks)
