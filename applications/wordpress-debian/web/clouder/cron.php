<?php
// What is due by WordPress's own calendar, such as posts that appear later.
define('DOING_CRON', true);
require __DIR__ . '/load.php';

foreach (wp_get_ready_cron_jobs() as $at => $hooks) {
    foreach ($hooks as $hook => $events) {
        foreach ($events as $event) {
            if ($event['schedule']) wp_reschedule_event($at, $event['schedule'], $hook, $event['args']);
            wp_unschedule_event($at, $hook, $event['args']);
            do_action_ref_array($hook, $event['args']);
        }
    }
}
