<?php
// Sets the site up from the container's environment. A site that is set up is left alone, so every start may run this.
define('WP_INSTALLING', true);

// Nobody is written to: who ordered the site knows of it, and containers have no mail server.
function wp_new_blog_notification() {}

require __DIR__ . '/load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

if (is_blog_installed()) exit(0);

$made = wp_install(
    getenv('WORDPRESS_TITLE'),
    getenv('ADMIN_USER'),
    getenv('ADMIN_EMAIL'),
    true,
    '',
    getenv('ADMIN_PASSWORD'),
);
exit(is_wp_error($made) ? 1 : 0);
