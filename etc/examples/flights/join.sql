-- One row a flight that arrived, with the weather at its origin in the scheduled hour.
-- Only what is known before departure, and the label.
SELECT
  f.year,
  f.month,
  f.day,
  f.origin,
  f.dest,
  f.carrier,
  f.flight,
  f.sched_dep_time,
  f.sched_arr_time,
  f.hour,
  f.minute,
  f.distance,
  dayofweek(make_date(f.year, f.month, f.day)) AS weekday,
  w.temp,
  w.dewp,
  w.humid,
  w.wind_dir,
  w.wind_speed,
  w.wind_gust,
  w.precip,
  w.pressure,
  w.visib,
  f.arr_delay > 30 AS late
FROM flights AS f
LEFT JOIN weather AS w
  ON  w.origin = f.origin
  AND w.time_hour = f.time_hour
WHERE f.arr_delay IS NOT NULL
ORDER BY f.month, f.day, f.sched_dep_time, f.origin, f.carrier, f.flight, f.dest
