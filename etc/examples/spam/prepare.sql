-- One row a mail: its subject and its text, without the other headers, which tell how it was collected.
WITH parts AS (
  SELECT
    *,
    trim(regexp_extract(text, '\nSubject:([^\n]*)', 1)) AS subject,
    substr(text, strpos(text, E'\n\n') + 2) AS body
  FROM mails
)
SELECT
  file,
  subject,
  trim(regexp_replace(regexp_replace(subject, '\s+', '_', 'g'), '(.)', '\1 ', 'g')) AS letters,
  body,
  length(body) AS characters,
  regexp_matches(text, '(?i)\nContent-Type:[ \t]*text/html') AS html,
  regexp_matches(text, '\n(List-Id|List-Post|X-Mailing-List|Mailing-List):') AS list,
  label = 'spam' AS spam
FROM parts
ORDER BY file
