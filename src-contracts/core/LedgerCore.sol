// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @title Money
/// @notice Balances, fees and the numbers in force: storage and internal rules, free of external calls, so that they can be proven.
/// @dev TOKEN: currencies are allow-listed; none may take a fee on transfer out, rebase or call back into a third party. A fee on
/// the way in is credited as received. PULL: work only moves balances; tokens leave by `withdraw` alone. DONATION: a direct
/// transfer changes nothing, `balanceOf(this)` is only ever read as a difference.
abstract contract LedgerCore is LedgerFacts {
    /// @dev One slot: everything that post and claim must look at.
    struct Config {
        uint16 newestParams;
        uint40 pausedUntil;
        uint96 minStake;
        /// Seconds; its bound (60 days) fits.
        uint24 unbonding;
        uint32 nodeCount;
        /// Bit r is set when new jobs may use runtime r.
        uint32 runtimes;
        /// Copy of the newest parameters' `bondTenths`: a post may use no other version.
        uint16 bondTenths;
    }

    /* STORAGE */

    mapping(address currency => mapping(address account => uint256)) internal _balances;
    mapping(address currency => uint256) internal _fees;
    mapping(address currency => bool) internal _allowed;
    mapping(uint16 version => Params) internal _params;
    Config internal _config;
    address internal _treasury;

    /* INTERNAL */

    function _credit(address currency, address account, uint256 amount) internal {
        if (amount != 0) _balances[currency][account] += amount;
    }

    function _debit(address currency, address account, uint256 amount) internal {
        uint256 balance = _balances[currency][account];
        require(balance >= amount, BalanceTooLow(currency, account, balance, amount));
        unchecked {
            _balances[currency][account] = balance - amount; // checked in the line above
        }
    }

    function _creditFee(address currency, uint256 amount) internal {
        if (amount != 0) _fees[currency] += amount;
    }

    function _requireRunning() internal view returns (Config memory c) {
        c = _config;
        require(block.timestamp > c.pausedUntil, PausedUntil(c.pausedUntil));
    }

    function _addParams(Params memory params_) internal returns (uint16 version) {
        Parameters.check(params_);
        version = ++_config.newestParams;
        _config.bondTenths = params_.bondTenths;
        _params[version] = params_;
        emit ParamsAdded(version, params_);
    }

    function _setTreasury(address treasury_) internal {
        require(treasury_ != address(0), AddressZero());
        _treasury = treasury_;
        emit TreasurySet(treasury_);
    }
}
