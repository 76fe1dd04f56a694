-- What one served ticket costs the database: the statements of issue, call and no-show, each in its transaction under
-- the hall's lock. Client n serves at window n+1 and queue n mod 6. The MAC of the record is a digest of the server's.
\set window_n :client_id + 1
\set queue_n 1 + mod(:client_id, 6)

BEGIN;
SELECT seq AS seq, last_id AS last_id FROM hall_heads WHERE hall = 'luolong' FOR UPDATE \gset
SELECT prefix, active, code AS queue FROM queues WHERE hall = 'luolong' AND code = substr('ABCDEF', :queue_n, 1) \gset
INSERT INTO ticket_serials (hall, queue, day, serial) VALUES ('luolong', :queue, current_date, 1)
  ON CONFLICT (hall, queue, day) DO UPDATE SET serial = ticket_serials.serial + 1 RETURNING serial \gset
INSERT INTO tickets (hall, id, number, queue, day, lane, state, channel, token_hash, token_sealed, queued_us, issued_at, recalls)
  VALUES ('luolong', :last_id + 1, :prefix || lpad(CAST(:serial AS text), 6, '0'), :queue, current_date, 'normal', 'waiting', 'kiosk',
          md5(CAST(:last_id AS text)), repeat('x', 60), CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint), now(), 0);
SELECT settings FROM halls WHERE code = 'luolong';
SELECT count(*) FROM tickets WHERE hall = 'luolong' AND day = current_date AND queue = :queue AND state = 'waiting' AND to_window IS NULL AND lane = 'normal';
SELECT q.queue, count(*) FROM window_queues q JOIN window_sessions s ON s.hall = q.hall AND s.window = q.window
  WHERE q.hall = 'luolong' AND s.state = 'open' GROUP BY q.queue;
SELECT started_at, finished_at FROM tickets WHERE hall = 'luolong' AND queue = :queue AND finished_at > now() - interval '4 hours'
  AND state = 'finished' ORDER BY finished_at DESC LIMIT 40;
INSERT INTO events (hall, seq, kind, subject, body, actor, at, mac)
  VALUES ('luolong', :seq + 1, 'ticket.issued', 'ticket:' || (:last_id + 1), repeat('x', 150), 'a kiosk', now(), repeat('m', 64));
UPDATE hall_heads SET seq = :seq + 1, last_id = :last_id + 1, last_at = now() WHERE hall = 'luolong';
COMMIT;

BEGIN;
SELECT seq AS seq, last_id AS last_id FROM hall_heads WHERE hall = 'luolong' FOR UPDATE \gset
SELECT id, staff_id, state AS window_state, "window" AS window FROM window_sessions
  WHERE hall = 'luolong' AND "window" = 'W' || lpad(CAST(:window_n AS text), 2, '0') AND state <> 'closed' \gset
SELECT count(number) AS occupied FROM tickets WHERE hall = 'luolong' AND "window" = :window AND state IN ('called', 'serving') \gset
SELECT queue, weight_min FROM window_queues WHERE hall = 'luolong' AND "window" = :window;
SELECT settings FROM halls WHERE code = 'luolong';
SELECT h.id AS ticket, h.number AS number FROM
  (SELECT q.code, l.lane FROM queues q, (VALUES ('normal'), ('priority'), ('appointment'), ('returning')) AS l (lane) WHERE q.hall = 'luolong') AS lanes,
  LATERAL (SELECT id, number, queued_us FROM tickets WHERE hall = 'luolong' AND day = current_date AND queue = lanes.code
           AND lane = lanes.lane AND state = 'waiting' AND to_window IS NULL ORDER BY queued_us, id LIMIT 1) AS h
  ORDER BY h.queued_us, h.id LIMIT 1 \gset
SELECT id, number, queue, day, lane, state, item, "window", issued_at FROM tickets WHERE hall = 'luolong' AND id = :ticket;
UPDATE tickets SET state = 'called', "window" = :window, called_at = now(), recalls = 0 WHERE hall = 'luolong' AND id = :ticket;
INSERT INTO calls (hall, id, ticket_id, "window", staff, called_at, why)
  VALUES ('luolong', :last_id + 1, :ticket, :window, 'clerk01', now(), repeat('x', 600));
INSERT INTO events (hall, seq, kind, subject, body, actor, at, mac)
  VALUES ('luolong', :seq + 1, 'ticket.called', 'ticket:' || :ticket, repeat('x', 800), 'a clerk', now(), repeat('m', 64));
UPDATE hall_heads SET seq = :seq + 1, last_id = :last_id + 1, last_at = now() WHERE hall = 'luolong';
COMMIT;

BEGIN;
SELECT seq AS seq, last_id AS last_id FROM hall_heads WHERE hall = 'luolong' FOR UPDATE \gset
SELECT id, number, queue, day, lane, state, item, "window", issued_at FROM tickets WHERE hall = 'luolong' AND id = :ticket;
SELECT id, staff_id, state FROM window_sessions WHERE hall = 'luolong' AND "window" = :window AND state <> 'closed';
UPDATE tickets SET state = 'no_show', missed_at = now() WHERE hall = 'luolong' AND id = :ticket;
UPDATE calls SET ended_at = now(), outcome = 'no_show' WHERE hall = 'luolong' AND ticket_id = :ticket AND ended_at IS NULL;
INSERT INTO events (hall, seq, kind, subject, body, actor, at, mac)
  VALUES ('luolong', :seq + 1, 'ticket.missed', 'ticket:' || :ticket, repeat('x', 100), 'a clerk', now(), repeat('m', 64));
UPDATE hall_heads SET seq = :seq + 1, last_at = now() WHERE hall = 'luolong';
COMMIT;
