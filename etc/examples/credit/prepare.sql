-- One row an applicant: what was published, the groups that must be treated alike, and the label.
SELECT
  * EXCLUDE (class),
  CASE WHEN age <= 25 THEN 'up to 25' ELSE 'over 25' END AS age_group,
  split_part(personal_status, ' ', 1) AS sex,
  class = 'bad' AS bad
FROM applicants
ORDER BY ALL
