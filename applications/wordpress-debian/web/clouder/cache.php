<?php
// Forgets what WordPress and its plugins keep for a while: it is computed anew when it is asked for.
require __DIR__ . '/load.php';

global $wpdb;
$kept = $wpdb->query("DELETE FROM $wpdb->options WHERE option_name LIKE '\\_transient\\_%' OR option_name LIKE '\\_site\\_transient\\_%'");
wp_cache_flush();
echo (int) $kept, " kept values forgotten\n";
