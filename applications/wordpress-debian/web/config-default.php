<?php
// Everything comes from the container's environment.
define('DB_HOST', 'database');
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', getenv('DATABASE_PASSWORD'));
define('DB_CHARSET', 'utf8mb4');

foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define($name . '_KEY', hash_hmac('sha256', $name . '_KEY', getenv('WORDPRESS_SALT')));
    define($name . '_SALT', hash_hmac('sha256', $name . '_SALT', getenv('WORDPRESS_SALT')));
}

// Where no address is set, the site answers under the one it is asked by.
$address = getenv('WORDPRESS_ADDRESS') ?: 'http://' . ($_SERVER['HTTP_HOST'] ?? 'localhost');
define('WP_HOME', $address);
define('WP_SITEURL', $address);

define('WPMU_PLUGIN_DIR', '/opt/clouder/plugins');
// Programs come with the image, and nothing is asked of servers elsewhere.
define('DISALLOW_FILE_MODS', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
// The start script runs what is due: the site's own address need not lead anywhere inside the container.
define('DISABLE_WP_CRON', true);
